// @ts-check
// A classic script in <head>: sets the chosen theme before the first paint.
(() => {
  const { dataset } = document.documentElement;
  const name = "studio.theme";
  try {
    const chosen = localStorage.getItem(name) ?? "";
    if (/^(light|dark)$/.test(chosen)) dataset.theme = chosen;
  } catch {
    // storage is forbidden: the system's theme is used
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const link of /** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll("link[disabled]"))) {
      // fetched as soon as its media query matches
      const query = matchMedia(link.media);
      const load = () => (link.disabled &&= !query.matches);
      query.addEventListener("change", load);
      load();
    }
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.removeAttribute("hidden");
      button.addEventListener("click", () => {
        const dark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
        dataset.theme = dark ? "light" : "dark";
        try {
          localStorage.setItem(name, dataset.theme);
        } catch {
          // the choice lasts until the page is closed
        }
      });
    }
  });
})();
