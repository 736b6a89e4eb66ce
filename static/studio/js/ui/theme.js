// @ts-check
// A classic script in <head>: sets the theme that was chosen in this browser before the first paint, unless the user's
// profile has one.
(() => {
  const { dataset } = document.documentElement;
  const name = "studio.theme";
  try {
    dataset.theme ||= localStorage.getItem(name) ?? "";
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
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-theme-toggle]"))) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const dark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
        const theme = (dataset.theme = dark ? "light" : "dark");
        try {
          if (!dataset.themeUrl) return localStorage.setItem(name, theme);
          // of a signed-in user; the form has the token that the server asks for
          const fields = new FormData(/** @type {HTMLFormElement} */ (document.querySelector(".language")));
          fields.set("theme", theme);
          navigator.sendBeacon(dataset.themeUrl, fields);
        } catch {
          // the choice lasts until the page is closed
        }
      });
    }
  });
})();
