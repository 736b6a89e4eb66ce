// @ts-check
/** The deliveries of a webhook, fetched again while one of them waits for a worker. */

const PAUSE = 1000;
/** Rounds: without a worker it would wait for ever; a reload of the page begins again. */
const MOST = 30;

const LIST = "[data-deliveries]";

export const followDeliveries = async () => {
  for (let round = 0; round < MOST; round += 1) {
    const shown = document.querySelector(`${LIST}[data-deliveries="waiting"]`);
    if (!(shown instanceof HTMLElement)) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    const response = await fetch(location.href).catch(() => null);
    if (!response?.ok) continue;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.querySelector(LIST);
    if (!(fresh instanceof HTMLElement)) return;
    update(shown, fresh);
  }
};

/**
 * Replaces the rows that changed; others keep their open details, and a button that is pressed.
 * @param {HTMLElement} shown
 * @param {HTMLElement} fresh
 */
const update = (shown, fresh) => {
  const [list, newer] = [shown, fresh].map((each) => each.querySelector("ul"));
  if (!list || !newer) return shown.replaceWith(fresh);
  const texts = new Map([...newer.children].map((row) => [row.id, row.textContent]));
  for (const row of [...list.children]) if (texts.get(row.id) !== row.textContent) row.remove();
  // what is left has the order of the new list, newest first
  for (const [index, row] of [...newer.children].entries()) {
    if (list.children[index]?.id !== row.id) list.insertBefore(row, list.children[index] ?? null);
  }
  // the link to older ones
  const [link, newLink] = [list, newer].map((each) => each.nextElementSibling);
  if (link?.outerHTML !== newLink?.outerHTML) {
    link?.remove();
    if (newLink) list.after(newLink);
  }
  shown.dataset.deliveries = fresh.dataset.deliveries;
};
