// @ts-check
/** Entry of the account pages. They work without a script, except passkeys and copying. */

import { storage } from "../state/own-storage.js";
import { copyText } from "../ui/copy.js";
import { followDeliveries } from "../ui/deliveries.js";
import { enablePasskeys, showPasskeyErrors } from "../ui/passkeys.js";

showPasskeyErrors();
enablePasskeys();
followDeliveries();

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!(button instanceof HTMLButtonElement)) continue;
  const field = document.getElementById(button.dataset.copy ?? "");
  if (!(field instanceof HTMLInputElement)) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const label = button.querySelector("span");
    if ((await copyText(field.value)) && label) label.textContent = button.dataset.copied ?? "";
  });
}

const profile = document.querySelector("form[data-profile]");
if (profile instanceof HTMLFormElement) {
  const { theme, time_zone: zone } = /** @type {Record<string, HTMLSelectElement>} */ (/** @type {unknown} */ (profile.elements));
  // a theme that was chosen in this browser before would hide that of the device
  profile.addEventListener("submit", () => theme.value || storage("localStorage")?.removeItem("studio.theme"));

  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const button = profile.querySelector("[data-browser-zone]");
  if (button instanceof HTMLButtonElement && [...zone.options].some(({ value }) => value === here)) {
    button.hidden = false;
    button.textContent += ` (${here})`;
    button.addEventListener("click", () => (zone.value = here));
  }
}
