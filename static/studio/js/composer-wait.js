// @ts-check
/** What to expect before pressing the button: the wait, the drawing time, and the state of the model. */

import { part, setAttribute, setText } from "./dom.js";
import { number } from "./format.js";
import { fill, gettext, ngettext } from "./i18n.js";
import { reasonLabel } from "./labels.js";

/** @import {Model} from "./protocol.js" */
/** @typedef {{width: number, height: number, steps: number, n: number}} Work */

const REFERENCE_PIXELS = 512 * 512;
const MINUTES_FROM = 90;

export class Prospect {
  #form;
  #connected = true;

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.#form = form;
  }

  /** @param {boolean} connected otherwise what is known grows old */
  setConnected(connected) {
    this.#connected = connected;
  }

  /**
   * @param {Model | undefined} model
   * @param {Work} work what would be sent now
   */
  show(model, work) {
    const view = model ? describeWait(model, work, this.#connected) : { tone: "", lead: "", rest: "", estimated: false };
    const wait = part(this.#form, "wait");
    setAttribute(wait, "data-tone", view.tone);
    setText(part(wait, "wait-lead"), view.lead);
    part(wait, "wait-basis").hidden = !view.estimated;
    setText(part(wait, "wait-rest"), view.rest);
    const state = part(this.#form, "model-state");
    setText(state, model ? modelWords(model, this.#connected) : "");
    setAttribute(state, "data-ready", model && this.#connected ? String(model.ready) : null);
    const pace = model ? secondsPerStep(model, work) : null;
    setText(part(this.#form, "pace"), pace === null ? "" : fill(gettext("about %(n)s s/step"), { n: digits(pace) }));
  }

  /** Models come and go while the page is open. @param {Model[]} models */
  offer(models) {
    const select = this.#form.elements.namedItem("model");
    if (!(select instanceof HTMLSelectElement)) return;
    const chosen = select.value;
    const names = models.map(({ name }) => name);
    if (names.join("\n") !== [...select.options].map(({ value }) => value).join("\n")) {
      select.replaceChildren(...names.map((name) => new Option(name, name)));
      select.value = names.includes(chosen) ? chosen : names[0] ?? "";
    }
    models.forEach(({ name, ready }, i) => {
      setText(select.options[i], ready ? name : `${name} · ${gettext("not ready")}`);
    });
  }
}

/** @param {number} seconds */
const digits = (seconds) => number(seconds, seconds < 0.995 ? 2 : 1);

/**
 * @param {Model} model
 * @param {Work} work
 */
function secondsPerStep({ seconds_per_step: pace }, { width, height }) {
  return pace === null || !(width * height > 0) ? null : (pace * width * height) / REFERENCE_PIXELS;
}

/**
 * @param {Model} model
 * @param {Work} work
 * @param {boolean} connected
 * @returns {{tone: "ready" | "wait" | "down" | "stale", lead: string, rest: string, estimated: boolean}}
 */
export function describeWait(model, work, connected) {
  const { wait } = model;
  if (!connected) {
    return { tone: "stale", lead: gettext("Expected wait not known now"), rest: gettext("is told on reconnect"), estimated: false };
  }
  if (wait.reason !== "in_line") {
    return { tone: "down", lead: reasonLabel(wait.reason), rest: gettext("what you send waits and begins by itself"), estimated: false };
  }
  const place = fill(gettext("Place %(n)s in line"), { n: wait.position });
  if (wait.eta_seconds === null) return { tone: "wait", lead: place, rest: "", estimated: false };
  if (wait.eta_seconds > 0) return { tone: "wait", lead: waitWords(wait.eta_seconds), rest: place, estimated: true };
  const rest = drawingWords(model, work);
  return { tone: "ready", lead: gettext("Begins at once"), rest, estimated: rest !== "" };
}

/** @param {number} seconds */
function waitWords(seconds) {
  if (seconds >= MINUTES_FROM) return fill(gettext("Expected wait about %(n)s min"), { n: Math.round(seconds / 60) });
  return fill(gettext("Expected wait about %(n)s s"), { n: seconds });
}

/**
 * @param {Model} model
 * @param {Work} work
 */
function drawingWords(model, work) {
  const pace = secondsPerStep(model, work);
  if (pace === null || !(work.steps > 0)) return "";
  const seconds = pace * work.steps * work.n;
  if (seconds >= MINUTES_FROM) return fill(gettext("about %(n)s min to draw"), { n: Math.round(seconds / 60) });
  return fill(gettext("about %(n)s s to draw"), { n: Math.max(1, Math.round(seconds)) });
}

/**
 * @param {Model} model
 * @param {boolean} connected
 */
function modelWords(model, connected) {
  if (!connected) return gettext("state not known now");
  if (!model.ready) return model.reason ? reasonLabel(model.reason) : gettext("not ready");
  const replicas = ngettext("%(n)s replica", "%(n)s replicas", model.replicas);
  return `${gettext("Ready")} · ${fill(replicas, { n: model.replicas })}`;
}
