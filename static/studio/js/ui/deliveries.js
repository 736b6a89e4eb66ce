// @ts-check
/** The deliveries of a webhook, fetched again while one of them waits for a worker. */

const PAUSE = 1000;
const MOST = 30;
/** Without a worker it would wait for ever; a reload of the page begins again. */

const LIST = "[data-deliveries]";

export const followDeliveries = async () => {
  for (let round = 0; round < MOST; round += 1) {
    const shown = document.querySelector(`${LIST}[data-deliveries="waiting"]`);
    if (!shown) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    const response = await fetch(location.href).catch(() => null);
    if (!response?.ok) continue;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.querySelector(LIST);
    if (!fresh) return;
    // only when its text changed, because the focus is lost
    if (fresh.textContent !== shown.textContent) shown.replaceWith(fresh);
  }
};
