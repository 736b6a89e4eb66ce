// @ts-check
/** Actions on pictures and tasks, used by every page; pages repaint on the DOM events that they send. */

import { clone, loadStyles, part, setText, siteUrl } from "../lib/dom.js";
import { HttpRefusal, getJson, send } from "../connection/http.js";
import { gettext, ngettext, timeOfDay } from "../lib/i18n.js";
import { newRequestKey, pictureKey } from "../connection/protocol.js";
import { copyText } from "../ui/copy.js";
import { refusalText } from "../composer/composer-limits.js";
import { toast } from "../ui/messages.js";

/** @import {CollectionChange} from "../connection/protocol.js" */
/** @import {Card} from "./card.js" */
/** @import {About} from "../viewer/viewer-panel.js" */

/** @typedef {{prompt: string, negative_prompt: string, model: string, size: string, n: number, steps: number, guidance: number, seed?: number | null}} Settings without a seed, a new one */
/** @typedef {{pictures?: string[], tasks?: string[]}} Things picture keys ("task:index") and task ids */

/** @param {import("../connection/protocol.js").Task} task @returns {Settings} */
export const settingsOf = ({ prompt, negative_prompt, model, width, height, n, steps, guidance }) => ({
  prompt, negative_prompt, model, size: `${width}x${height}`, n, steps, guidance,
});

/**
 * Submit a task with these settings.
 *
 * @param {Settings} settings
 * @param {string} taskId the task that it repeats
 * @returns {Promise<string | null>} id of the new task; null after a toast said why not.
 *   Sends `studio:drawn` {task}: pages that show tasks attach to it.
 */
export function drawAgain(settings, taskId) {
  return orToast(async () => {
    const message = { action: "generate", ...settings, parent: taskId, request_key: newRequestKey() };
    const { frames } = await send(siteUrl("/messages/"), message);
    const ack = frames.find((/** @type {any} */ frame) => frame.type === "ack");
    if (!ack) {
      const error = frames.find((/** @type {any} */ frame) => frame.type === "error");
      throw new HttpRefusal(400, error?.code ?? "unavailable", error?.message ?? "", error?.data);
    }
    dispatch("drawn", { task: ack.task_id });
    return ack.task_id;
  });
}

/**
 * Submit a variation of a picture, with a new seed. A small variation keeps the seed, which
 * determines the composition, and takes one step less.
 *
 * @param {string} key
 * @param {boolean} isSmall
 * @param {(about: About) => void} change where more can be changed
 */
export async function vary(key, isSmall, change) {
  const [task, index] = key.split(":");
  const about = /** @type {About | null} */ (await orToast(async () => getJson(siteUrl(`/pictures/${task}/${index}/about/`))));
  if (!about) return;
  const { steps } = about.settings;
  const small = { seed: about.seed, steps: steps > 1 ? steps - 1 : steps + 1 };
  if (!(await drawAgain({ ...about.settings, n: 1, ...(isSmall ? small : {}) }, about.task))) return;
  const words = isSmall
    ? gettext("A small variation is in the queue: the same seed, %(steps)s steps instead of %(before)s", { steps: small.steps, before: steps })
    : gettext("A variation is in the queue: a new seed, all other settings unchanged");
  toast(words, "plain", { label: gettext("Change more settings"), run: () => change(about) });
}

/** Create a share link and show it in a dialog. @param {string} taskId */
export async function share(taskId) {
  const url = siteUrl(`/tasks/${taskId}/share/`);
  const link = await orToast(async () => send(url, {}));
  if (!link) return;
  await loadStyles(document.getElementById("share-template")).catch(() => {}); // works without styles
  const dialog = /** @type {HTMLDialogElement} */ (clone("share-template"));
  const field = /** @type {HTMLInputElement} */ (part(dialog, "url"));
  field.value = link.url;
  setText(part(dialog, "until"), gettext("Works until %(time)s, without signing in.", { time: timeOfDay(link.expires) }));
  part(dialog, "copy").addEventListener("click", async () => {
    const copied = await copyText(link.url);
    if (!copied) field.select();
    setText(part(dialog, "said"), copied ? gettext("Copied") : gettext("Press Ctrl+C to copy"));
  });
  part(dialog, "end").addEventListener("click", async () => {
    const ended = await orToast(async () => send(url, {}, "DELETE"));
    dialog.close();
    if (ended !== null) toast(gettext("All links to this task are revoked"), "plain");
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  field.select();
}

/**
 * Mark pictures at once; undo it if the server refuses. Sends `studio:favourite` {key, favourite}.
 *
 * @param {string[]} keys
 * @param {boolean} on
 * @returns {Promise<boolean>} whether the server accepted it
 */
export async function setFavourite(keys, on) {
  const show = (/** @type {boolean} */ favourite) => keys.forEach((key) => dispatch("favourite", { key, favourite }));
  show(on);
  const done = await orToast(async () => send(siteUrl("/gallery/favourite/"), { pictures: keys, favourite: on }));
  if (!done) show(!on);
  return done !== null;
}

/**
 * Sends `studio:deleted` {keys, tasks}, and `studio:restored` with the same if it is undone.
 *
 * @param {Things} things
 * @returns {Promise<boolean>} whether they are in the trash
 */
export async function moveToTrash({ pictures = [], tasks = [] }) {
  const things = { pictures, tasks };
  const done = await orToast(async () => send(siteUrl("/gallery/delete/"), things));
  if (!done) return false;
  const detail = { keys: pictures, tasks };
  dispatch("deleted", detail);
  const count = pictures.length + tasks.length;
  toast(ngettext("%(n)s deleted", "%(n)s deleted", count), "plain", {
    label: gettext("Undo"),
    run: async () => {
      if (await orToast(async () => send(siteUrl("/gallery/restore/"), things))) dispatch("restored", detail);
    },
  });
  return true;
}

/**
 * @template T
 * @param {() => Promise<T>} run
 * @returns {Promise<T | null>}
 */
export async function orToast(run) {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof HttpRefusal)) throw error;
    toast(refusalText(error), "fail");
    return null;
  }
}

/** Number of changes that were shown on this page. */
let changes = 0;

/**
 * What `fetch` gets, once nothing changed meanwhile: a response may be older than a change that is shown already.
 *
 * @template T
 * @param {() => Promise<T>} fetch
 * @returns {Promise<T>}
 */
export async function fetchUnchanged(fetch) {
  for (;;) {
    const before = changes;
    const response = await fetch();
    if (changes === before) return response;
  }
}

/** Send the DOM events for a change made in another window. @param {CollectionChange} change */
export function dispatchRemote({ change, pictures, tasks, favourite = false }) {
  const isElsewhere = true;
  if (change === "favourite") for (const key of pictures) dispatch(change, { key, favourite, isElsewhere });
  else dispatch(change, { keys: pictures, tasks, isElsewhere });
}

/**
 * @param {"drawn" | CollectionChange["change"]} what
 * @param {object} detail
 */
function dispatch(what, detail) {
  changes += 1;
  document.dispatchEvent(new CustomEvent(`studio:${what}`, { bubbles: true, detail }));
}

/** @type {Record<string, (card: Card) => unknown>} */
const CARD_ACTIONS = {
  again: ({ task, taskId }) => drawAgain(settingsOf(task), taskId),
  share: ({ taskId }) => share(taskId),
  delete: ({ taskId }) => moveToTrash({ tasks: [taskId] }),
  download: ({ taskId, state }) => downloadAll(state.images.map((picture) => pictureKey(taskId, picture))),
};

/** Run an action of a finished card. @param {string} name @param {Card} card */
export const perform = (name, card) => CARD_ACTIONS[name]?.(card);

/** Download several pictures as one zip by submitting a plain form. @param {string[]} keys */
function downloadAll(keys) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = siteUrl("/gallery/zip/");
  form.hidden = true;
  const token = document.querySelector("[name='csrfmiddlewaretoken']");
  if (token instanceof HTMLInputElement) form.append(token.cloneNode());
  for (const key of keys) {
    const field = document.createElement("input");
    field.name = "pictures";
    field.value = key;
    form.append(field);
  }
  document.body.append(form);
  form.submit();
  form.remove();
}
