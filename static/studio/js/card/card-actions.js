// @ts-check
/** Actions of a finished card; loaded on the first use. */

import { at } from "../lib/dom.js";
import { drawAgain, moveToTrash, settingsOf, share } from "./actions.js";
import { pictureKey } from "./picture-frames.js";

/** @import {Card} from "./card.js" */

/** @type {Record<string, (card: Card) => unknown>} */
const ACTIONS = {
  again: ({ task, taskId }) => drawAgain(settingsOf(task), taskId),
  share: ({ taskId }) => share(taskId),
  delete: ({ taskId }) => moveToTrash({ tasks: [taskId] }),
  download: ({ taskId, state }) => downloadAll(state.images.map((picture) => pictureKey(taskId, picture))),
};

/**
 * @param {string} name
 * @param {Card} card
 */
export const perform = (name, card) => ACTIONS[name]?.(card);

/** Download several pictures as one zip by submitting a plain form. @param {string[]} keys */
function downloadAll(keys) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = at("/gallery/zip/");
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
