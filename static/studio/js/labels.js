// @ts-check
/** The words for every code on the wire, in the viewer's language. The English is that of generation/choices.py. */

import { gettext, pgettext } from "./i18n.js";

/** @type {Record<string, () => string>} */
const STEP = {
  parsing: () => gettext("Parsing the prompt"),
  loading: () => gettext("Loading model weights"),
  preparing: () => gettext("Setting up parameters"),
  generating: () => gettext("Generating latents"),
  decoding: () => gettext("Decoding the picture"),
  finishing: () => gettext("Finishing the file"),
  completed: () => gettext("Done and stored"),
};

/** @type {Record<string, () => string>} */
const STATUS = {
  queued: () => pgettext("task status", "In line"),
  running: () => pgettext("task status", "Running"),
  completed: () => pgettext("task status", "Done"),
  failed: () => pgettext("task status", "Failed"),
  cancelled: () => pgettext("task status", "Cancelled"),
};

/** @type {Record<string, () => string>} */
const KIND = {
  submitted: () => gettext("Submitted and stored"),
  claimed: () => gettext("Taken by a worker"),
  step_began: () => gettext("Step began"),
  progressed: () => gettext("Progress measured"),
  image_stored: () => gettext("Picture stored"),
  delayed: () => gettext("The model asked us to wait"),
  cancel_requested: () => gettext("Cancellation requested"),
  interrupted: () => gettext("Attempt interrupted; back in line"),
  completed: () => gettext("Completed"),
  failed: () => gettext("Failed"),
  cancelled: () => gettext("Cancelled"),
};

/** @type {Record<string, () => string>} */
const BASIS = {
  measured: () => gettext("measured"),
  estimated: () => gettext("estimate"),
};

/** @type {Record<string, () => string>} */
const REASON = {
  in_line: () => gettext("Others are before it"),
  model_loading: () => gettext("The model is still loading"),
  model_down: () => gettext("The model server cannot be reached"),
  no_worker: () => gettext("No worker is running"),
  key_refused: () => gettext("The model server refused our key"),
  paused: () => gettext("The line is paused"),
  model_busy: () => gettext("The model server is at its limit"),
};

/** @type {Record<string, () => string>} */
const INTERRUPTION = {
  lease_expired: () => gettext("The worker was not heard from any more"),
  model_lost: () => gettext("The model process died"),
  model_error: () => gettext("The model failed"),
  stalled: () => gettext("The model made no progress"),
  handed_back: () => gettext("The worker was stopped and handed the task back"),
  model_down: () => gettext("The model server could not be reached"),
  key_refused: () => gettext("The model server refused our key"),
};

/** @type {Record<string, () => string>} */
const ERROR = {
  prompt_empty: () => gettext("The prompt is empty. Write what the picture should show."),
  prompt_too_long: () => gettext("The prompt is longer than 2,000 characters. Shorten it and send it again."),
  prompt_invalid: () => gettext("The prompt contains a character that cannot be stored (NUL). Remove it."),
  size_invalid: () => gettext("Width and height must be multiples of 16 between 256 and 2048, written like 512x512."),
  count_invalid: () => gettext("The number of pictures must be from 1 to 4."),
  steps_invalid: () => gettext("The number of steps must be from 1 to 100."),
  guidance_invalid: () => gettext("Guidance must be a number from 0 to 30."),
  seed_invalid: () => gettext("The seed must be a whole number from 0 to 4294967295."),
  model_unknown: () => gettext("This model is not served here. Choose one from the list."),
  request_key_invalid: () => gettext("request_key must be a UUID."),
  request_key_reused: () => gettext("This request_key already belongs to a different request. Use a new one."),
  not_json: () => gettext("The message is not valid JSON."),
  binary_frame: () => gettext("Binary frames are not understood here. Send JSON text."),
  too_long: () => gettext("The message is longer than 65,536 bytes."),
  bad_message: () => gettext("A field of the message is missing or has the wrong type."),
  unknown_action: () => gettext("This action does not exist."),
  unknown_field: () => gettext("The message has a field that does not belong there."),
  not_found: () => gettext("There is no such task, or it is not yours."),
  not_allowed_now: () => gettext("The task's state does not allow this now."),
  too_many_attached: () => gettext("One connection can watch 200 tasks. Let go of some first."),
  too_many_waiting: () => gettext("500 of your tasks are not finished yet. Wait for some, or cancel some."),
  unavailable: () => gettext("The server cannot do this right now. Nothing was lost; try again in a moment."),
  model_down: () => gettext("The model server cannot be reached. Check that it runs, then try again."),
  model_loading: () => gettext("The model is still loading."),
  model_busy: () => gettext("The model server is at its limit."),
  key_refused: () => gettext("The model server refused our key. The operator has to set a valid one."),
  model_forbidden: () => gettext("Our key may not use this model. Choose another model or ask the operator."),
  model_not_found: () => gettext("The model server does not have this model. Choose another one or ask the operator."),
  request_refused: () => gettext("The model refused these settings. Change the size or the steps and try again."),
  call_aborted: () => gettext("The call was stopped on the model server. Try again."),
  model_error: () => gettext("The model failed while drawing. Try again, or with a smaller size."),
  model_lost: () => gettext("The model process died while drawing. It restarts by itself; try again in a minute."),
  stalled: () => gettext("The model made no progress for too long. Check the model server, then try again."),
  lease_expired: () => gettext("The workers on this task went silent three times. Try again."),
  bad_picture: () => gettext("The model's answer was not a whole picture. Check the model server, then try again."),
  picture_too_large: () => gettext("The model's picture has another size than was asked for, so it was not stored."),
  storage_failed: () => gettext("The picture could not be written to disk. The operator has to free space; then retry."),
  internal_error: () => gettext("Something here went wrong; it is in the log. Try again, and tell the operator."),
};

/**
 * @param {Record<string, () => string>} words
 * @returns {(code: string, otherwise?: string) => string} the code itself if a newer server has more
 */
const lookup = (words) => (code, otherwise) => words[code]?.() ?? (otherwise || code);

export const stepLabel = lookup(STEP);
export const statusLabel = lookup(STATUS);
export const kindLabel = lookup(KIND);
export const basisLabel = lookup(BASIS);
export const reasonLabel = lookup(REASON);
export const interruptionLabel = lookup(INTERRUPTION);
export const errorSentence = lookup(ERROR);
