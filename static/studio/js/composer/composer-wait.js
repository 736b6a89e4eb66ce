// @ts-check
/** What to expect before pressing the button: the wait, the drawing time, and the state of the model. */

import { setAttribute, setText } from "../lib/dom.js";
import { about, gettext, label, ngettext, number, positionLabel } from "../lib/i18n.js";

/** @import {Face} from "../lib/dom.js" */
/** @import {Model} from "../connection/protocol.js" */
/** @import {Connection} from "../connection/socket.js" */

/** @typedef {{sending: boolean, connected: boolean, reason: Connection["reason"]}} LineState */
/** @typedef {{tone: "ready" | "wait" | "down" | "stale" | "", lead: string, rest: string, estimated: boolean}} Wait */
/** @typedef {{width: number, height: number, steps: number, n: number, tasks: number}} Work `n` pictures in each of `tasks` */

/** What a model's `expected` was measured at, or stands for. */
const REFERENCE_PIXELS = 512 * 512;
const REFERENCE_STEPS = 9;

/**
 * @param {Face} face of the form
 * @param {Model | undefined} model
 * @param {Work | null} work what would be sent now; null: it cannot be sent as it is
 * @param {boolean} connected otherwise what is known grows old
 */
export function showProspect(face, model, work, connected) {
  /** @type {Partial<Wait>} */
  const { tone = "", lead = "", rest = "", estimated = false } = model ? describeWait(model, work, connected) : {};
  face.tell({
    "wait-lead": lead,
    "wait-rest": rest,
    "model-state": model ? modelWords(model, connected) : "",
    pace: model ? paceWords(model, work) : "",
  });
  face.reveal({ "wait-basis": estimated });
  setAttribute(face.part("wait"), "data-tone", tone);
  setAttribute(face.part("model-state"), "data-ready", model && connected ? String(model.ready) : null);
}

/**
 * Models come and go while the page is open.
 *
 * @param {HTMLSelectElement} select
 * @param {Model[]} models
 */
export function offerModels(select, models) {
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
export function paceWords({ seconds_per_step: seconds }, work) {
  if (seconds === null || work === null) return "";
  const pace = (seconds * work.width * work.height) / REFERENCE_PIXELS;
  return gettext("about %(n)s s/step", { n: number(pace, pace < 0.995 ? 2 : 1) });
}

/**
 * @param {Model} model
 * @param {Work | null} work null: nothing is said of how long it would take
 * @param {boolean} connected
 * @returns {Wait}
 */
export function describeWait(model, work, connected) {
  const { reason, position, eta_seconds: seconds } = model.wait;
  if (!connected) return waitOf("stale", gettext("Expected wait unknown"), gettext("updates when the connection is back"));
  if (reason !== "in_line") return waitOf("down", label("reason", reason), gettext("you can send now; it starts by itself"));
  const place = positionLabel(position);
  if (seconds === null) return waitOf("wait", place);
  if (seconds > 0) {
    const { long, n } = about(seconds);
    return waitOf("wait", long ? gettext("Expected wait about %(n)s min", { n }) : gettext("Expected wait about %(n)s s", { n }), place, true);
  }
  const rest = drawingWords(model, work);
  return waitOf("ready", gettext("Starts at once"), rest, rest !== "");
}

/**
 * @param {Wait["tone"]} tone
 * @param {string} lead
 * @returns {Wait}
 */
const waitOf = (tone, lead, rest = "", estimated = false) => ({ tone, lead, rest, estimated });

/**
 * Tasks are drawn side by side where there are replicas, the pictures of one task after each other.
 *
 * @param {Model} model
 * @param {Work | null} work
 */
function drawingWords({ expected, replicas }, work) {
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
export function modelWords({ ready, reason, replicas }, connected) {
  if (!connected) return gettext("state unknown");
  if (!ready) return reason ? label("reason", reason) : gettext("not ready");
  return `${gettext("Ready")} · ${ngettext("%(n)s replica", "%(n)s replicas", replicas)}`;
}

/**
 * What the button says.
 *
 * @param {LineState} line
 * @param {number} pictures that would be drawn
 */
export function sendWords({ sending, connected, reason }, pictures) {
  if (reason === "sign_in") return gettext("Sign in to send");
  if (reason !== null) return gettext("Reload to send");
  if (!connected) return gettext("Send when connected");
  if (sending) return gettext("Sending…");
  return pictures > 1 ? ngettext("Draw %(n)s picture", "Draw %(n)s pictures", pictures) : gettext("Draw pictures");
}

/**
 * The limit is one for each line.
 *
 * @param {number} lines
 * @param {number} longest characters
 */
export const linesCounted = (lines, longest) => gettext("%(lines)s lines, the longest %(n)s", { lines, n: number(longest) });
