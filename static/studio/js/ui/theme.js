// @ts-check
// A classic script in <head>: the chosen theme stands before the first paint.
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
      // fetched only where, and as soon as, its medium is the one of the page
      const medium = matchMedia(link.media);
      const load = () => (link.disabled &&= !medium.matches);
      medium.addEventListener("change", load);
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
          // the choice then lasts as long as the page
        }
      });
    }
  });
})();
