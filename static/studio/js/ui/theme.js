// @ts-check
// A classic script in <head>: sets the theme before the first paint. It is that of the user's profile, or the one that
// was chosen in this browser. Other tabs, and pages that "back" brings from memory, follow a choice.
(() => {
  const { dataset } = document.documentElement;
  const name = "studio.theme";
  /** While the next page may have been rendered before the server stored the choice. */
  const UNCONFIRMED_MS = 5_000;
  /** The theme that this tab showed last, and until when it precedes that of the server. */
  const recall = () => (sessionStorage.getItem(name) ?? "").split(" ");
  const remember = (until = 0) => sessionStorage.setItem(name, `${dataset.theme} ${until}`);
  try {
    const [theme, until] = recall();
    if (Date.now() < Number(until)) {
      dataset.theme = theme;
    } else {
      dataset.theme ||= localStorage.getItem(name) ?? "";
      remember();
    }
  } catch {
    // storage is forbidden: the system's theme is used
  }
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) [dataset.theme] = recall();
  });
  addEventListener("storage", ({ key, newValue }) => {
    if (key !== name || !newValue) return;
    dataset.theme = newValue;
    remember();
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
          // tells other tabs
          localStorage.setItem(name, theme);
          if (!dataset.themeUrl) return remember();
          localStorage.removeItem(name);
          remember(Date.now() + UNCONFIRMED_MS);
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
