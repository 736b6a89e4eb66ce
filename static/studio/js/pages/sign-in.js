// @ts-check
/** The sign-in page: clears the storage after a sign-out, can show the password, offers passkeys. */

import { SIGNED_OUT, forgetOthers, storages } from "../state/own-storage.js";
import { enablePasskeys, showPasskeyErrors } from "../ui/passkeys.js";

/** Tasks that were already announced by an alert. */
const CLAIMED = "studio.alerted";

if (new URLSearchParams(location.search).has("signed-out")) clearStorage();

showPasskeyErrors();
enablePasskeys();

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

/** Remove what all users stored; pages that are still open store nothing more. */
function clearStorage() {
  forgetOthers("");
  for (const storage of storages()) storage.removeItem(CLAIMED);
  try {
    localStorage.setItem(SIGNED_OUT, String(Date.now()));
  } catch {
    // full, or forbidden: then nothing is kept anyway
  }
}
