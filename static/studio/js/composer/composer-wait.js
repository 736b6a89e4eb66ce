// @ts-check
/** What to expect before pressing the button: the wait, the drawing time, and the state of the model. */

import { setAttribute, setText } from "../lib/dom.js";
import { about, gettext, label, ngettext, number, positionLabel } from "../lib/i18n.js";

/** @import {Parts} from "../lib/dom.js" */
/** @import {Model} from "../connection/protocol.js" */
/** @import {Connection} from "../connection/reconnecting.js" */

/** @typedef {{sending: boolean, connected: boolean, reason: Connection["reason"]}} SendState */
/** @typedef {{tone: "ready" | "wait" | "down" | "stale" | "", lead: string, rest: string, estimated: boolean}} Wait */
/** @typedef {{width: number, height: number, steps: number, n: number, tasks: number}} Work `n` pictures in each of `tasks` */

/** Pixels and steps that a model's `expected` is for. */
const REFERENCE_PIXELS = 512 * 512;
const REFERENCE_STEPS = 9;

/**
 * @param {Parts} parts of the form
 * @param {Model | undefined} model
 * @param {Work | null} work the task that would be sent; null: the form is invalid
 * @param {boolean} connected otherwise the values may be out of date
 */
export function showForecast(parts, model, work, connected) {
  /** @type {Partial<Wait>} */
  const { tone = "", lead = "", rest = "", estimated = false } = model ? describeWait(model, work, connected) : {};
  parts.setTexts({
    "wait-lead": lead,
    "wait-rest": rest,
    "model-state": model ? modelText(model, connected) : "",
    pace: model ? paceText(model, work) : "",
  });
  parts.setShown({ "wait-basis": estimated });
  setAttribute(parts.get("wait"), "data-tone", tone);
  setAttribute(parts.get("model-state"), "data-ready", model && connected ? String(model.ready) : null);
}

/**
 * Models can appear and disappear while the page is open.
 *
 * @param {HTMLSelectElement} select
 * @param {Model[]} models
 */
export function updateModels(select, models) {
  const chosen = select.value;
  const names = models.map(({ name }) => name);
  if (names.join("\n") !== [...select.options].map(({ value }) => value).join("\n")) {
    select.replaceChildren(...names.map((name) => new Option(name, name)));
    select.value = names.includes(chosen) ? chosen : names[0] ?? "";
  }
  models.forEach(({ name, ready }, i) => setText(select.options[i], ready ? name : `${name} · ${gettext("not ready")}`));
}

/**
 * @param {Model} model
 * @param {Pick<Work, "width" | "height"> | null} work
 */
export function paceText({ seconds_per_step: seconds }, work) {
  if (seconds === null || work === null) return "";
  const pace = (seconds * work.width * work.height) / REFERENCE_PIXELS;
  return gettext("about %(n)s s/step", { n: number(pace, pace < 0.995 ? 2 : 1) });
}

/**
 * @param {Model} model
 * @param {Work | null} work null: no estimate
 * @param {boolean} connected
 * @returns {Wait}
 */
export function describeWait(model, work, connected) {
  const { reason, position, eta_seconds: seconds } = model.wait;
  if (!connected) return forecastOf("stale", gettext("Expected wait unknown"), gettext("updates when the connection is back"));
  if (reason !== "in_line") {
    const tone = reason === "paused" ? "wait" : "down";
    return forecastOf(tone, label("reason", reason), gettext("you can send now; it starts by itself"));
  }
  const positionText = positionLabel(position);
  if (seconds === null) return forecastOf("wait", positionText);
  if (seconds > 0) {
    const { long, n } = about(seconds);
    return forecastOf("wait", long ? gettext("Expected wait about %(n)s min", { n }) : gettext("Expected wait about %(n)s s", { n }), positionText, true);
  }
  const rest = drawingText(model, work);
  return forecastOf("ready", gettext("Starts at once"), rest, rest !== "");
}

/**
 * @param {Wait["tone"]} tone
 * @param {string} lead
 * @returns {Wait}
 */
const forecastOf = (tone, lead, rest = "", estimated = false) => ({ tone, lead, rest, estimated });

/**
 * Replicas draw tasks in parallel; the pictures of one task are drawn one after the other.
 *
 * @param {Model} model
 * @param {Work | null} work
 */
function drawingText({ expected, replicas }, work) {
  if (!expected || !work) return "";
  const { loading, preparing, generating, decoding, finishing } = expected;
  const pixels = (work.width * work.height) / REFERENCE_PIXELS;
  const picture = preparing + pixels * ((generating * work.steps) / REFERENCE_STEPS + decoding + finishing);
  const seconds = Math.ceil(work.tasks / Math.max(1, replicas)) * (loading + work.n * picture);
  const { long, n } = about(seconds);
  return long ? gettext("about %(n)s min to draw", { n }) : gettext("about %(n)s s to draw", { n });
}

/**
 * @param {Model} model
 * @param {boolean} connected
 */
export function modelText({ ready, reason, replicas }, connected) {
  if (!connected) return gettext("state unknown");
  if (!ready) return reason ? label("reason", reason) : gettext("not ready");
  return `${gettext("Ready")} · ${ngettext("%(n)s replica", "%(n)s replicas", replicas)}`;
}

/**
 * Label of the button.
 *
 * @param {SendState} state
 * @param {number} pictures that would be drawn
 */
export function sendLabel({ sending, connected, reason }, pictures) {
  if (reason === "sign_in") return gettext("Sign in to send");
  if (reason !== null) return gettext("Reload to send");
  if (!connected) return gettext("Send when connected");
  if (sending) return gettext("Sending…");
  return pictures > 1 ? ngettext("Draw %(n)s picture", "Draw %(n)s pictures", pictures) : gettext("Draw pictures");
}

/**
 * Count of lines and characters; the limit of characters is for each line.
 *
 * @param {number} lines
 * @param {number} longest characters
 */
export const lineCounts = (lines, longest) => gettext("%(lines)s lines, the longest %(n)s", { lines, n: number(longest) });
