// @ts-check
// A classic script in <head>: sets the theme before the first paint. It is that of the user's profile, or the one that
// was chosen in this browser. Other tabs, and pages to which "back" leads, follow a choice.
(() => {
  const { dataset } = document.documentElement;
  const name = "studio.theme";
  /** A choice in this tab precedes what a page got that was asked for so soon after it, or before it. */
  const UNCONFIRMED_MS = 5_000;
  const show = () => {
    try {
      const [theme, at] = (sessionStorage.getItem(name) ?? "").split(" ");
      dataset.theme ||= localStorage.getItem(name) ?? "";
      if (+at > performance.timeOrigin - UNCONFIRMED_MS) dataset.theme = theme;
    } catch {
      // storage is forbidden: the system's theme is used
    }
  };
  show();
  addEventListener("pageshow", show);
  addEventListener("storage", ({ key, newValue }) => {
    if (key === name && newValue) dataset.theme = newValue;
  });

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
          sessionStorage.setItem(name, `${theme} ${Date.now()}`);
          // tells other tabs
          localStorage.setItem(name, theme);
          if (!dataset.themeUrl) return;
          localStorage.removeItem(name);
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
