// @ts-check
/** The form: prompt and settings, draft, sending, the sheet on phones. */

import { DRAFT_FIELDS, Fields, PROMPT_MOST } from "./composer-fields.js";
import { LINES_MOST, Lines, drawWords, notTaken, tooManyLines, withRefused } from "./composer-lines.js";
import { Origin } from "./composer-origin.js";
import { Prospect } from "./composer-wait.js";
import { Draft } from "./draft.js";
import { find, part, setAttribute, setProperty, setText } from "./dom.js";
import { length, number, size } from "./format.js";
import { gettext } from "./i18n.js";
import { errorSentence } from "./labels.js";
import { newRequestKey } from "./protocol.js";
import { Sheet } from "./sheet.js";

/** @import {Bootstrap, Model, Refusal, Task} from "./protocol.js" */
/** @import {Connection} from "./socket.js" */
/** @import {KeyedMessage} from "./outbox.js" */

const DRAFT_AFTER_MS = 300;
/** A second press on the same content within this time is a slip of the finger. */
const SAME_AGAIN_MS = 1_000;

export class Composer {
  #form = find(document, "#composer", HTMLFormElement);
  #prompt = find(this.#form, "[name='prompt']", HTMLTextAreaElement);
  #send = find(this.#form, "#send", HTMLButtonElement);
  #sheet = new Sheet(this.#form, () => this.#prompt.focus());
  #fields = new Fields(this.#form, () => this.#models);
  #lines = new Lines(this.#form, () => this.#changed());
  #origin = new Origin(this.#form, () => this.#changed());
  #prospect = new Prospect(this.#form);
  #models;
  #submit;
  #draft;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #draftTimer;
  #last = { content: "", at: -Infinity };
  /** The last set that was sent, and what of it came back. */
  #set = { text: "", keys: new Set(), refused: /** @type {string[]} */ ([]) };
  /** @type {{sending: boolean, connected: boolean, reason: Connection["reason"]}} */
  #line = { sending: false, connected: true, reason: null };
  #typedAt = -Infinity;

  /**
   * @param {Bootstrap} page
   * @param {(message: KeyedMessage) => void} submit
   */
  constructor(page, submit) {
    this.#submit = submit;
    this.#models = page.models;
    this.#draft = new Draft(page.username);
    const typed = this.#prompt.hasAttribute("data-typed") ? this.#prompt.value : null;
    this.#fields.fill(page.defaults);
    this.#restore();
    if (page.from) this.#varyFrom(page.from);
    if (typed !== null) this.#prompt.value = typed;
    this.#listen();
    this.offer(page.models);
    this.#form.dataset.awake = "";
    if ("pressed" in this.#form.dataset) queueMicrotask(() => this.#trySubmit());
  }

  /** Whether somebody is in the middle of writing. */
  isBeingTyped() {
    return this.#form.contains(document.activeElement) && performance.now() - this.#typedAt < 10_000;
  }

  /** Keep the draft now: the page is about to go away. */
  keepDraft() {
    this.#saveDraft();
  }

  /** @param {Model[]} models as the server told them last */
  offer(models) {
    this.#models = models;
    this.#prospect.offer(models);
    this.#refresh();
  }

  /**
   * @param {{pending: number, connected: boolean, reason: Connection["reason"]}} state
   */
  showSending({ pending, connected, reason }) {
    this.#line = { sending: pending > 0 && connected, connected, reason };
    this.#prospect.setConnected(connected);
    this.#refresh();
  }

  /**
   * The server did not take it: what was written is not lost.
   *
   * @param {KeyedMessage} message
   * @param {Refusal} refusal
   */
  refused({ prompt, request_key: key }, { code, field = "", message }) {
    const known = this.#set.keys.has(key);
    const refused = known ? [...this.#set.refused, String(prompt)] : [String(prompt)];
    const sentence = errorSentence(code, message);
    if (known && this.#set.keys.size > 1) {
      this.#prompt.value = withRefused(this.#prompt.value, this.#set.text, refused);
      this.#set = { ...this.#set, text: this.#prompt.value, refused };
      this.#changed();
      this.#fields.showError("prompt", notTaken(refused.length, sentence));
      return;
    }
    this.#prompt.value = withRefused(this.#prompt.value, null, refused);
    this.#changed();
    this.#fields.showError(field, sentence);
  }

  /**
   * Vary what a task was made with.
   *
   * @param {string} taskId
   * @param {Task} task
   * @param {{seed: number | null, thumbnail: string}} picture
   */
  vary(taskId, task, { seed, thumbnail }) {
    this.#fields.fill({ ...task, seed });
    this.#fields.locked = seed !== null;
    this.#origin.set({ task: taskId, thumbnail, content: this.#fields.content() });
    this.#toPrompt();
  }

  /** Take over what a task was made with. @param {Task} task */
  reuse(task) {
    this.#fields.fill(task);
    this.#origin.set(null);
    this.#toPrompt();
  }

  /** @param {string} prompt */
  usePrompt(prompt) {
    this.#prompt.value = prompt;
    this.#origin.set(null);
    this.#toPrompt();
  }

  #toPrompt() {
    this.#fields.clearErrors();
    this.#changed();
    this.#sheet.open();
    this.#prompt.focus();
  }

  /** @param {NonNullable<Bootstrap["from"]>} from the address asked for it, once */
  #varyFrom({ task, data, seed }) {
    const index = new URLSearchParams(location.search).get("from")?.split(":")[1] ?? "1";
    this.vary(task, data, { seed, thumbnail: `/pictures/${task}/${index}/thumbnail/` });
    history.replaceState(history.state, "", location.pathname);
  }

  #listen() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#trySubmit();
    });
    this.#form.addEventListener("input", (event) => this.#input(event));
    this.#form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
        event.preventDefault();
        this.#trySubmit();
      }
    });
    find(this.#form, "[data-dice]", HTMLButtonElement).addEventListener("click", () => {
      this.#fields.set("seed", String(crypto.getRandomValues(new Uint32Array(1))[0]));
      this.#changed();
    });
    find(this.#form, "[data-lock]", HTMLButtonElement).addEventListener("click", () => {
      this.#fields.locked = !this.#fields.locked;
      this.#changed();
    });
    addEventListener("pagehide", () => this.#saveDraft());
    if (/Mac|iPhone|iPad/.test(navigator.platform)) setText(part(this.#form, "keys"), "⌘ ↵");
  }

  /** @param {Event} event */
  #input(event) {
    this.#typedAt = performance.now();
    const target = event.target;
    if (target instanceof HTMLInputElement && target.dataset.mirror) this.#fields.set(target.dataset.mirror, target.value);
    if (target instanceof HTMLElement) this.#fields.clearError(target);
    this.#changed();
  }

  #changed() {
    this.#refresh();
    clearTimeout(this.#draftTimer);
    setText(part(this.#form, "draft"), "");
    this.#draftTimer = setTimeout(() => {
      if (this.#saveDraft()) setText(part(this.#form, "draft"), gettext("Draft saved"));
    }, DRAFT_AFTER_MS);
  }

  /** Everything the form shows about its own values. */
  #refresh() {
    const text = this.#prompt.value;
    const prompts = this.#lines.prompts(text);
    const longest = Math.max(...prompts.map(length));
    setText(part(this.#form, "count"), number(longest));
    setAttribute(find(this.#form, "#prompt-count", HTMLElement), "data-over", longest > PROMPT_MOST);
    setText(part(this.#form, "preview"), text.trim() || gettext("Prompt"));
    this.#lines.show(text);
    setText(part(this.#form, "negative-preview"), this.#fields.value("negative_prompt"));
    const [width, height] = this.#fields.size();
    setText(part(this.#form, "size"), size(width, height));
    const free = this.#fields.value("ratio") === "free";
    part(this.#form, "free").hidden = !free;
    part(this.#form, "scales").hidden = free;
    const kept = this.#fields.locked && this.#fields.value("seed") !== "";
    setText(part(this.#form, "seed-state"), kept ? gettext("kept") : "");
    for (const slider of this.#form.querySelectorAll("[data-mirror]")) {
      if (slider instanceof HTMLInputElement) this.#mirror(slider);
    }
    const content = this.#fields.content();
    this.#origin.show(content);
    const model = this.#models.find(({ name }) => name === content.model);
    this.#prospect.show(model, { width, height, steps: Number(content.steps), n: Number(content.n) });
    setAttribute(this.#send, "aria-busy", this.#line.sending ? "true" : null);
    setText(part(this.#send, "send"), this.#sendWords(prompts.length));
  }

  /** @param {number} tasks */
  #sendWords(tasks) {
    const { sending, connected, reason } = this.#line;
    if (reason === "sign_in") return gettext("Sign in to send");
    if (reason !== null) return gettext("Reload to send");
    if (!connected) return gettext("Send when connected");
    return sending ? gettext("Sending…") : drawWords(tasks);
  }

  /** @param {HTMLInputElement} slider */
  #mirror(slider) {
    const value = Number(this.#fields.value(slider.dataset.mirror ?? ""));
    slider.value = String(value);
    const [least, most] = [Number(slider.min), Number(slider.max)];
    const share = Math.min(1, Math.max(0, (value - least) / (most - least)));
    setProperty(slider, "--share", `${(share * 100).toFixed(1)}%`);
  }

  #trySubmit() {
    if (this.#line.reason !== null) {
      this.#saveDraft();
      location.reload(); // who is not signed in is asked to, and comes back here
      return;
    }
    this.#fields.clearErrors();
    const prompts = this.#lines.prompts(this.#prompt.value);
    const wrong = this.#fields.check(prompts);
    if (wrong || prompts.length > LINES_MOST) {
      this.#sheet.open();
      this.#fields.showError(wrong?.field ?? "prompt", wrong ? errorSentence(wrong.code) : tooManyLines(prompts.length));
      return;
    }
    const content = this.#fields.content();
    const whole = JSON.stringify([content, prompts.length]);
    if (whole === this.#last.content && performance.now() - this.#last.at < SAME_AGAIN_MS) {
      setText(part(this.#form, "draft"), gettext("Already sent; not drawn twice"));
      return;
    }
    this.#last = { content: whole, at: performance.now() };
    this.#sendAll(prompts);
    if (!this.#fields.locked) this.#fields.set("seed", "");
    if (this.#sheet.isOpen) this.#sheet.close();
    else if (this.#prompt.offsetParent !== null) this.#prompt.focus({ preventScroll: true });
    this.#changed();
  }

  /** @param {string[]} prompts a task each, all with the same settings */
  #sendAll(prompts) {
    const { parent } = this.#origin;
    const content = { ...this.#fields.content(), ...(parent ? { parent: parent.task } : {}) };
    const messages = prompts.map((prompt) => ({ action: "generate", ...content, prompt, request_key: newRequestKey() }));
    this.#set = { text: this.#prompt.value, keys: new Set(messages.map((each) => each.request_key)), refused: [] };
    for (const message of messages) this.#submit(message);
  }

  #saveDraft() {
    const values = Object.fromEntries(DRAFT_FIELDS.map((name) => [name, this.#fields.value(name)]));
    const origin = this.#origin.parent ? JSON.stringify(this.#origin.parent) : "";
    return this.#draft.save({ ...values, locked: this.#fields.locked, split: this.#lines.chosen, origin });
  }

  #restore() {
    const { locked, split, origin, ...values } = this.#draft.load();
    for (const name of DRAFT_FIELDS) {
      const value = values[name];
      if (typeof value === "string") this.#fields.set(name, value);
    }
    this.#fields.locked = locked === true;
    this.#lines.restore(split);
    this.#origin.restore(origin);
  }
}
