// @ts-check
/** The dialog with a fresh share link. */

import { clone, dress, part, setText } from "../lib/dom.js";
import { gettext, timeOfDay } from "../lib/i18n.js";
import { toast } from "./messages.js";

/**
 * @param {{url: string, expires: number}} link
 * @param {{copy: (text: string) => Promise<boolean>, end: () => Promise<boolean>}} actions
 */
export async function showLink({ url, expires }, actions) {
  await dress(document.getElementById("share-template")).catch(() => {}); // plain is better than none
  const dialog = /** @type {HTMLDialogElement} */ (clone("share-template"));
  const field = /** @type {HTMLInputElement} */ (part(dialog, "url"));
  field.value = url;
  setText(part(dialog, "until"), gettext("Works until %(time)s, without signing in.", { time: timeOfDay(expires) }));
  const said = part(dialog, "said");
  part(dialog, "copy").addEventListener("click", async () => {
    const copied = await actions.copy(url);
    if (!copied) field.select();
    setText(said, copied ? gettext("Copied") : gettext("Press Ctrl+C to copy"));
  });
  part(dialog, "end").addEventListener("click", async () => {
    const ended = await actions.end();
    dialog.close();
    if (ended) toast(gettext("All links to this task are revoked"), "plain");
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  field.select();
}
