// @ts-check
/** The sign-in page: what a person who signed out left here goes, and a password can be seen while it is typed. */

import { SIGNED_OUT, forgetOthers, storages } from "../state/own-storage.js";

/** Tasks that were already announced by an alert. */
const CLAIMED = "studio.alerted";

if (new URLSearchParams(location.search).has("signed-out")) forgetEverybody();

const button = document.querySelector("[data-show-password]");
const field = document.getElementById("id_password");

if (button instanceof HTMLButtonElement && field instanceof HTMLInputElement) {
  const show = button.textContent ?? "";
  button.hidden = false;
  button.addEventListener("click", () => {
    const visible = field.type === "password";
    field.type = visible ? "text" : "password";
    button.setAttribute("aria-pressed", String(visible));
    button.textContent = visible ? (button.dataset.hide ?? show) : show;
    field.focus();
  });
}

/** Everything that was left by anyone; pages that are still open keep nothing from now on. */
function forgetEverybody() {
  forgetOthers("");
  for (const storage of storages()) storage.removeItem(CLAIMED);
  try {
    localStorage.setItem(SIGNED_OUT, String(Date.now()));
  } catch {
    // full, or forbidden: then nothing is kept anyway
  }
}
