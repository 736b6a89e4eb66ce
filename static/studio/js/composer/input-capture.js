// @ts-check
// A classic script in <head>: records input before the modules are loaded, for them to replay.
(() => {
  /** @type {HTMLElement[]} */
  const pressed = [];
  let sent = false;
  /** @param {Event} event */
  const note = (event) => {
    const { target, type } = event;
    if (!(target instanceof Element)) return;
    const inForm = target.closest("#composer");
    const button = /** @type {HTMLElement | null} */ (target.closest("main button[type='button']"));
    if (type === "input") {
      target.setAttribute("data-typed", String(event.timeStamp));
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
  const events = ["input", "click", "keydown", "submit"];
  for (const name of events) document.addEventListener(name, note, true);
  /** @type {any} */ (globalThis).studioInputCapture = () => {
    for (const name of events) document.removeEventListener(name, note, true);
    for (const button of pressed) {
      button.ariaBusy = null;
      button.click();
    }
    return sent;
  };
})();
