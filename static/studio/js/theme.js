// @ts-check
// A classic script in <head>: the chosen theme stands before the first paint.
(() => {
  const root = document.documentElement;
  const stored = () => {
    try {
      return localStorage.getItem("studio.theme");
    } catch {
      return null; // storage is forbidden: the system's theme is used
    }
  };
  const chosen = stored();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

  document.addEventListener("DOMContentLoaded", () => {
    const buttons = document.querySelectorAll("[data-theme-toggle]");
    for (const button of buttons) {
      button.removeAttribute("hidden");
      button.addEventListener("click", () => {
        const dark = root.dataset.theme
          ? root.dataset.theme === "dark"
          : matchMedia("(prefers-color-scheme: dark)").matches;
        root.dataset.theme = dark ? "light" : "dark";
        try {
          localStorage.setItem("studio.theme", root.dataset.theme);
        } catch {
          // the choice then lasts as long as the page
        }
      });
    }
  });
})();
