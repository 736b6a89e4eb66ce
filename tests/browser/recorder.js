// Runs before anything of the page: writes down every state of every card that the page showed.
window.recorded = [];
const look = () => {
  for (const card of document.querySelectorAll("article.card")) {
    const percent = card.querySelector("[data-part='percent']");
    const actions = card.querySelector(".card__actions");
    if (!percent || !actions) continue; // the parser has not come that far
    const now = {
      task: card.dataset.taskId,
      status: card.dataset.status,
      step: card.dataset.step,
      percent: Number(percent.textContent),
      pictures: card.querySelectorAll(".card__pictures img").length,
      stale: card.hasAttribute("data-stale"),
      stopping: card.dataset.stopping ?? null,
      headline: card.querySelector("[data-part='headline']").textContent.trim(),
    };
    const last = window.recorded.findLast((seen) => seen.task === now.task);
    if (JSON.stringify(last) !== JSON.stringify(now)) window.recorded.push(now);
  }
};
new MutationObserver(look).observe(document, {
  attributes: true, characterData: true, childList: true, subtree: true,
});
