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
