// @ts-check
/** Alerts for finished tasks while the page is hidden: a notification, a sound, or both; chosen per device. */

import { loadStyles } from "../lib/dom.js";
import { duration, gettext, label } from "../lib/i18n.js";

/** @import {Card} from "../card/card.js" */
/** @import {EventFrame, Task, TaskState} from "../connection/protocol.js" */

const CHOICES = "studio.alerts";
const CLAIMED = "studio.alerted";
const CLAIMS_KEPT = 50;
const CLAIM_HELD_MS = 10_000;
/** Hidden pages wait, so that a visible page claims first and no alert is sent. */
const AFTER_THE_SEEN_MS = 400;
const PROMPT_SHOWN = 60;

/** @typedef {{notify: boolean, sound: boolean}} Choices */

let isListening = false;

/** Send alerts from now on, on `studio:ended` {card, frame}. */
export function listen() {
  if (isListening) return;
  isListening = true;
  loadStyles(document.querySelector("[data-alerts]")).catch(() => {}); // checkboxes work without styles
  const alerts = new Alerts();
  document.addEventListener("studio:ended", (event) => {
    const { card, frame } = /** @type {CustomEvent} */ (event).detail;
    alerts.ended(card, frame);
  });
}

/** @returns {Choices} */
function choices() {
  const { notify, sound } = read(CHOICES, {});
  return { notify: notify === true && canNotify() && Notification.permission === "granted", sound: sound === true };
}

const canNotify = () => "Notification" in globalThis && isSecureContext;

class Alerts {
  /** @type {AudioContext | null} */
  #audio = null;
  #menus = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-alerts]")]);

  constructor() {
    addEventListener("storage", ({ key }) => {
      if (key === CHOICES) this.#show();
    });
    for (const menu of this.#menus) {
      menu.addEventListener("change", ({ target }) => this.#choose(target));
      // checked before this script was loaded
      if (menu.closest("[open]")) for (const input of menu.querySelectorAll(":checked")) this.#choose(input);
    }
    // browsers allow sound only after a user gesture
    for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, () => this.#resumeAudio(), { passive: true });
    this.#show();
  }

  /**
   * A task ended just now.
   *
   * @param {Card} card
   * @param {EventFrame} frame
   */
  async ended({ taskId, task, state }, frame) {
    if (frame.status === "cancelled") return;
    if (document.hidden) await new Promise((done) => setTimeout(done, AFTER_THE_SEEN_MS));
    const first = await claim(`${taskId} ${frame.seq}`);
    if (!first || !document.hidden) return;
    const { notify, sound } = choices();
    if (notify) announce(taskId, frame, task, state);
    if (sound) this.#play(frame.status === "completed" ? [523, 784] : [392, 262]);
  }

  /** @param {EventTarget | null} target one of the two boxes */
  async #choose(target) {
    if (!(target instanceof HTMLInputElement)) return;
    const { name, checked: wanted } = target;
    const next = { ...read(CHOICES, {}), [name]: wanted };
    if (name === "notify" && wanted && canNotify()) {
      next.notify = (await Notification.requestPermission()) === "granted";
    }
    try {
      localStorage.setItem(CHOICES, JSON.stringify(next));
    } catch {
      // forbidden: the choice is not stored, and the checkboxes show it
    }
    this.#show();
    if (name === "sound" && wanted) {
      this.#resumeAudio();
      this.#play([523, 784]);
    }
  }

  #show() {
    const now = choices();
    for (const menu of this.#menus) {
      for (const input of menu.querySelectorAll("input")) {
        input.checked = input.name === "notify" ? now.notify : now.sound;
        if (input.name === "notify") input.disabled = !canNotify();
      }
      const why = menu.querySelector("[data-part='alerts-why']");
      if (why instanceof HTMLElement) {
        why.textContent = whyNot();
        why.hidden = why.textContent === "";
      }
    }
    document.querySelector("[data-bell]")?.toggleAttribute("data-on", now.notify || now.sound);
  }

  #resumeAudio() {
    if (!choices().sound || this.#audio?.state === "running") return;
    this.#audio ??= new AudioContext();
    this.#audio.resume().catch(() => {}); // silent until the next user gesture
  }

  /** Two soft notes. @param {number[]} pitches in Hz */
  #play(pitches) {
    this.#audio ??= new AudioContext();
    const audio = this.#audio;
    pitches.forEach((pitch, i) => {
      const [tone, volume] = [audio.createOscillator(), audio.createGain()];
      const at = audio.currentTime + i * 0.16;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(0.12, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.5);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.5);
    });
  }
}

/** Why notifications are unavailable, and what to do. */
function whyNot() {
  if (!("Notification" in globalThis)) return gettext("This browser does not support notifications.");
  if (!isSecureContext) return gettext("Notifications need HTTPS. Open the studio at its https address.");
  if (Notification.permission === "denied") {
    return gettext("Notifications are blocked for this address. Allow them in the browser's settings for this site, then come back here.");
  }
  return "";
}

/**
 * One alert per task, however many tabs are open.
 *
 * Tabs in several processes see each other's localStorage with a delay, but share locks. The first
 * tab holds the lock until the others can read what it stored.
 *
 * @param {string} what
 * @returns {Promise<boolean>} whether this tab is the first
 */
function claim(what) {
  const take = () => {
    const claimed = read(CLAIMED, []);
    const known = Array.isArray(claimed) ? claimed : [];
    if (known.includes(what)) return false;
    try {
      localStorage.setItem(CLAIMED, JSON.stringify([...known, what].slice(-CLAIMS_KEPT)));
    } catch {
      // forbidden: each tab sends its own alert
    }
    return true;
  };
  if (!navigator.locks) return Promise.resolve(take());
  return new Promise((resolve) => {
    navigator.locks.request(`${CLAIMED} ${what}`, { ifAvailable: true }, (lock) => {
      const isFirst = lock !== null && take();
      resolve(isFirst);
      return isFirst ? new Promise((release) => setTimeout(release, CLAIM_HELD_MS)) : undefined;
    });
  });
}

/**
 * @param {string} taskId
 * @param {EventFrame} frame
 * @param {Task} task
 * @param {TaskState} state
 */
function announce(taskId, frame, task, state) {
  const done = frame.status === "completed";
  const title = done ? gettext("Your picture is done") : gettext("A task failed");
  const prompt = [...task.prompt].slice(0, PROMPT_SHOWN).join("");
  const rest = done
    ? gettext("drawn in %(n)s", { n: duration(state.run_seconds ?? 0) })
    : label("error", frame.code ?? "", frame.message);
  try {
    const icon = state.images[0]?.thumbnail_url;
    const note = new Notification(title, { body: `${prompt}\n${rest}`, tag: taskId, ...(icon ? { icon } : {}) });
    note.addEventListener("click", () => {
      note.close();
      focus();
      showCard(taskId);
    });
  } catch {
    // phones allow notifications only to service workers
  }
}

/** @param {string} taskId */
function showCard(taskId) {
  const card = document.getElementById(`task-${taskId}`);
  const link = card?.querySelector("[data-part='link']");
  card?.scrollIntoView({ block: "center" });
  if (link instanceof HTMLElement) link.focus({ preventScroll: true });
}

/** @param {string} name @param {any} otherwise */
function read(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null") ?? otherwise;
  } catch {
    return otherwise;
  }
}
