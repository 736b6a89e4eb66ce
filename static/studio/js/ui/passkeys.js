// @ts-check
/** What our pages add to allauth's scripts for passkeys. */

/** Shows the page's own sentence; allauth would only write to the console. */
export function showPasskeyErrors() {
  const sentence = document.querySelector("[data-passkey-error]");
  if (!(sentence instanceof HTMLElement)) return;
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    sentence.hidden = false;
  });
}

/** Enables the buttons after DOMContentLoaded, when allauth has bound them: an earlier click would do nothing. */
export function enablePasskeys() {
  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-passkey]")) {
      if (!(button instanceof HTMLButtonElement)) continue;
      button.disabled = false;
      button.hidden = !("PublicKeyCredential" in window);
    }
  });
}
