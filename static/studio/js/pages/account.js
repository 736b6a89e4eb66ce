// @ts-check
/** Entry of the account pages. They work without a script, except passkeys and copying. */

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
