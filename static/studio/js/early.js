// @ts-check
// A classic script in <head>: what is typed or sent before the modules are here is not lost.
(() => {
  /** @param {Event} event */
  const note = (event) => {
    const form = document.getElementById("composer");
    const { target } = event;
    if (!form || "awake" in form.dataset || !(target instanceof HTMLElement) || !form.contains(target)) return;
    if (event.type === "input") {
      target.dataset.typed = "";
      return;
    }
    if (event instanceof KeyboardEvent && !(event.key === "Enter" && (event.ctrlKey || event.metaKey))) return;
    event.preventDefault();
    form.dataset.pressed = "";
    document.getElementById("send")?.setAttribute("aria-busy", "true");
  };
  for (const sign of ["input", "keydown", "submit"]) document.addEventListener(sign, note, true);
})();
