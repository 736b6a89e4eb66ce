// @ts-check
// A classic script in <head>: what is typed, pressed or sent before the modules are here is done once they are.
(() => {
  /** @type {HTMLElement[]} */
  const pressed = [];
  let sent = false;
  /** @param {Event} event */
  const note = (event) => {
    const { target, type } = event;
    if (!(target instanceof HTMLElement || target instanceof SVGElement)) return;
    const inForm = target.closest("#composer");
    const button = /** @type {HTMLElement | null} */ (target.closest("main button[type='button']"));
    if (type === "input") {
      target.dataset.typed = String(event.timeStamp);
    } else if (type === "click") {
      if (!button || (pressed.at(-1) === button && !button.ariaPressed)) return;
      pressed.push(button);
      button.ariaBusy = "true";
    } else if (inForm && (!(event instanceof KeyboardEvent) || (event.key === "Enter" && (event.ctrlKey || event.metaKey)))) {
      event.preventDefault();
      sent = true;
      document.getElementById("send")?.setAttribute("aria-busy", "true");
    }
  };
  const signs = ["input", "click", "keydown", "submit"];
  for (const sign of signs) document.addEventListener(sign, note, true);
  /** @type {any} */ (globalThis).studioInputCapture = () => {
    for (const sign of signs) document.removeEventListener(sign, note, true);
    for (const button of pressed) {
      button.ariaBusy = null;
      button.click();
    }
    return sent;
  };
})();
