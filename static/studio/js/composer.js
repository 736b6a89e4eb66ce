// @ts-check
/** The form: prompt and settings, draft, sending; what only some people need of it is loaded when they do. */

import { ofThisSite } from "./base.js";
import { DRAFT_FIELDS, Fields, PROMPT_MOST } from "./composer-fields.js";
import { linesCounted, offerModels, sendWords, showProspect } from "./composer-wait.js";
import { Face, dress, find, lazy, setAttribute } from "./dom.js";
import { Draft } from "./draft.js";
import { length, number, size } from "./format.js";
import { gettext } from "./i18n.js";
import { errorSentence } from "./labels.js";
import { newRequestKey } from "./protocol.js";

/** @import {Settings} from "./composer-fields.js" */
/** @import {Errors, SentSet} from "./composer-errors.js" */
/** @import {Lines} from "./composer-lines.js" */
/** @import {Origin, Parent} from "./composer-origin.js" */
/** @import {Sheet} from "./sheet.js" */
/** @import {Bootstrap, Model, Refusal, Task} from "./protocol.js" */
/** @import {LineState} from "./composer-wait.js" */
/** @import {KeyedMessage} from "./outbox.js" */

const DRAFT_AFTER_MS = 300;
/** A second press on the same content within this time is a slip of the finger. */
const SAME_AGAIN_MS = 1_000;
/** Where the form is docked, as in composer.css: on a phone, upright or not. */
const DOCKED = matchMedia("(width < 768px), (width < 960px) and (height < 500px)");
/** A cheap first look: only a text with such a line is read further. */
const MAY_HOLD_SETTINGS = /(?:^|\n)[ \t]*Steps:[ \t]*\d/;

export class Composer {
  #form = find(document, "#composer", HTMLFormElement);
  #face = new Face(this.#form);
  #prompt = find(this.#form, "[name='prompt']", HTMLTextAreaElement);
  #send = find(this.#form, "#send", HTMLButtonElement);
  #fields = new Fields(this.#form, () => this.#models);
  /** The prompt that the page came with: the server's example is no draft. */
  #first;
  #models;
  #submit;
  #draft;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #draftTimer;
  #last = { content: "", at: -Infinity };
  /** The last set that was sent. @type {SentSet} */
  #set = { text: "", keys: [], refused: [] };
  /** @type {LineState} */
  #line = { sending: false, connected: true, reason: null };
  #typedAt = -Infinity;
  /** What becomes of several lines, if the person has chosen; of a draft. */
  #split = "";
  /** The picture that is varied. @type {Parent | null} */
  #parent = null;

  #errors = /** @type {Errors | null} */ (null);
  #lines = /** @type {Lines | null} */ (null);
  #origin = /** @type {Origin | null} */ (null);
  #sheet = /** @type {Sheet | null} */ (null);

  #loadErrors = lazy(async () => {
    const { Errors } = await import("./composer-errors.js");
    return (this.#errors = new Errors(this.#form, this.#fields, () => this.#changed()));
  });

  #loadLines = lazy(async () => {
    const { Lines } = await import("./composer-lines.js");
    this.#lines = new Lines(this.#form, this.#split, () => this.#changed());
    this.#refresh();
    return this.#lines;
  });

  #loadOrigin = lazy(async () => {
    const [{ Origin }] = await Promise.all([import("./composer-origin.js"), dress(this.#face.part("origin"))]);
    this.#origin = new Origin(this.#form, () => this.#setParent(null));
    this.#refresh();
  });

  /**
   * @param {Bootstrap} page
   * @param {(message: KeyedMessage) => void} submit
   */
  constructor(page, submit) {
    this.#submit = submit;
    this.#models = page.models;
    this.#first = page.defaults.prompt;
    this.#draft = new Draft(ofThisSite(page.username));
    const typed = this.#fields.typed;
    this.#fields.fill(page.defaults);
    this.#restore();
    if (page.from) {
      const { task, data, seed, thumbnail } = page.from;
      this.vary(task, data, { seed, thumbnail });
      history.replaceState(history.state, "", location.pathname); // once
    }
    for (const [name, value] of typed) this.#fields.set(name, value);
    this.#listen();
    this.offer(page.models);
  }

  /** Whether somebody is in the middle of writing. */
  isBeingTyped() {
    return this.#form.contains(document.activeElement) && performance.now() - this.#typedAt < 10_000;
  }

  /** Keep the draft now: the page is about to go away. */
  keepDraft() {
    const { values, locked } = this.#fields;
    if (values.prompt === this.#first) delete values.prompt;
    const split = this.#lines?.chosen ?? this.#split;
    return this.#draft.save({ ...values, locked, split, origin: this.#parent });
  }

  /** @param {Model[]} models as the server told them last */
  offer(models) {
    this.#models = models;
    offerModels(find(this.#form, "select", HTMLSelectElement), models);
    this.#refresh();
  }

  /** @param {LineState} state */
  showSending(state) {
    this.#line = state;
    this.#refresh();
  }

  /**
   * The server did not take it: what was written is not lost.
   *
   * @param {KeyedMessage} message
   * @param {Refusal} refusal
   */
  async refused(message, refusal) {
    const errors = await this.#loadErrors();
    errors.putBack(this.#set, message, refusal);
    this.#changed();
  }

  /**
   * Vary what a task was made with.
   *
   * @param {string} taskId
   * @param {Settings} task
   * @param {{seed: number | null, thumbnail: string}} picture
   */
  vary(taskId, task, { seed, thumbnail }) {
    this.#fields.fill({ ...task, seed });
    this.#fields.locked = seed !== null;
    this.#toPrompt({ task: taskId, thumbnail, content: this.#fields.content() });
  }

  /** Take over what a task was made with. @param {Task} task */
  reuse(task) {
    this.#fields.fill(task);
    this.#toPrompt(null);
  }

  /** @param {string} prompt an example */
  usePrompt(prompt) {
    this.#prompt.value = prompt;
    this.#toPrompt(null);
  }

  /** @param {Parent | null} parent */
  #toPrompt(parent) {
    this.#errors?.clear();
    this.#setParent(parent);
    this.#sheet?.open();
    this.#prompt.focus();
  }

  /** @param {Parent | null} parent */
  #setParent(parent) {
    this.#parent = parent;
    this.#changed();
  }

  #listen() {
    const form = this.#form;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#trySubmit();
    });
    form.addEventListener("input", (event) => this.#input(event));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
        event.preventDefault();
        this.#trySubmit();
      }
    });
    form.addEventListener("click", (event) => {
      if (this.#fields.press(event)) this.#changed();
    });
    this.#prompt.addEventListener("paste", (event) => {
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (!MAY_HOLD_SETTINGS.test(text)) return;
      event.preventDefault();
      this.#paste(text);
    });
    addEventListener("pagehide", () => this.keepDraft());
    if (/Mac|iPhone|iPad/.test(navigator.platform)) this.#face.tell({ keys: "⌘ ↵" });
    const fit = async () => {
      if (!DOCKED.matches) return;
      const { Sheet } = await import("./sheet.js");
      this.#sheet ??= new Sheet(form, DOCKED, () => this.#prompt.focus());
    };
    DOCKED.addEventListener("change", fit);
    fit();
  }

  /** @param {string} text that may be the settings of a picture */
  async #paste(text) {
    const errors = await this.#loadErrors().catch(() => null);
    const settings = await import("./pasted-settings.js").catch(() => null);
    if (!settings?.fillIn(this.#fields, text, () => this.#pasteText(text))) return this.#pasteText(text);
    this.#changed();
    errors?.check(this.#prompts())?.();
  }

  /** @param {string} text */
  #pasteText(text) {
    this.#prompt.setRangeText(text, this.#prompt.selectionStart, this.#prompt.selectionEnd, "end");
    this.#changed();
  }

  /** @param {Event} event */
  #input({ target }) {
    this.#typedAt = performance.now();
    this.#loadErrors().catch(() => {}); // the server checks everything again
    if (target instanceof HTMLInputElement && target.dataset.mirror) this.#fields.set(target.dataset.mirror, target.value);
    if (target instanceof HTMLElement) this.#errors?.clearOf(target);
    this.#changed();
  }

  #changed() {
    this.#refresh();
    clearTimeout(this.#draftTimer);
    this.#face.tell({ draft: "" });
    this.#draftTimer = setTimeout(() => {
      if (this.keepDraft()) this.#face.tell({ draft: gettext("Draft saved") });
    }, DRAFT_AFTER_MS);
  }

  #prompts() {
    const text = this.#prompt.value;
    return this.#lines?.prompts(text) ?? [text];
  }

  /** Everything the form shows about its own values. */
  #refresh() {
    const [fields, face, text, prompts] = [this.#fields, this.#face, this.#prompt.value, this.#prompts()];
    const { connected, sending } = this.#line;
    const content = fields.content();
    const [width, height] = fields.size();
    const free = fields.value("ratio") === "free";
    const longest = Math.max(...prompts.map(length));
    const n = Number(content.n);
    face.tell({
      count: prompts.length > 1 ? linesCounted(prompts.length, longest) : number(longest),
      preview: text.trim() || gettext("Prompt"),
      "negative-preview": fields.value("negative_prompt"),
      size: size(width, height),
      "seed-state": fields.locked && fields.value("seed") !== "" ? gettext("kept") : "",
      send: sendWords(this.#line, prompts.length * n),
    });
    const idle = content.guidance === 0 && "negative_prompt" in content;
    face.reveal({ free, scales: !free, "negative-idle": idle });
    face.part("count").parentElement?.toggleAttribute("data-over", longest > PROMPT_MOST);
    fields.mirror();
    const model = this.#models.find(({ name }) => name === content.model);
    const work = { width, height, steps: Number(content.steps), n, tasks: prompts.length };
    showProspect(face, model, fields.wrongNumber() ? null : work, connected);
    setAttribute(this.#send, "aria-busy", sending ? "true" : null);
    if (text.includes("\n")) this.#loadLines().catch(() => {});
    this.#lines?.show(text);
    if (this.#parent) this.#loadOrigin().catch(() => {});
    this.#origin?.show(this.#parent, content);
  }

  async #trySubmit() {
    if (this.#line.reason !== null) {
      this.keepDraft();
      location.reload(); // who is not signed in is asked to, and comes back here
      return;
    }
    const errors = await this.#loadErrors().catch(() => null);
    errors?.clear();
    if (this.#prompt.value.includes("\n") && !(await this.#loadLines().catch(() => null))) {
      errors?.show("prompt", errorSentence("unavailable")); // nobody knows whether it is one prompt or many
      return;
    }
    const prompts = this.#prompts();
    const wrong = errors?.check(prompts);
    if (wrong) {
      this.#sheet?.open();
      wrong();
      return;
    }
    const content = JSON.stringify([this.#fields.content(), prompts.length]);
    if (content === this.#last.content && performance.now() - this.#last.at < SAME_AGAIN_MS) {
      this.#face.tell({ draft: gettext("Already sent; not drawn twice") });
      return;
    }
    if (this.#parent) await this.#loadOrigin().catch(() => {});
    this.#last = { content, at: performance.now() };
    this.#sendAll(prompts);
    if (!this.#fields.locked) this.#fields.set("seed", "");
    if (this.#sheet?.isOpen) this.#sheet.close();
    else if (this.#prompt.offsetParent !== null) this.#prompt.focus({ preventScroll: true });
    this.#changed();
  }

  /** @param {string[]} prompts a task each, all with the same settings */
  #sendAll(prompts) {
    const parent = this.#parent?.task;
    /** @type {import("./protocol.js").ClientMessage} */
    const content = { action: "generate", ...this.#fields.content(), ...(parent && { parent }) };
    if (this.#parent && this.#origin?.isSame(this.#parent, this.#fields.content())) delete content.seed; // it would be the same picture
    const messages = prompts.map((prompt) => ({ ...content, prompt, request_key: newRequestKey() }));
    this.#set = { text: this.#prompt.value, keys: messages.map((each) => each.request_key), refused: [] };
    messages.forEach(this.#submit);
  }

  #restore() {
    const { locked, split, origin, ...values } = this.#draft.load();
    for (const name of DRAFT_FIELDS) if (typeof values[name] === "string") this.#fields.set(name, values[name]);
    this.#fields.locked = locked === true;
    if (split === "lines" || split === "one") this.#split = split;
    if (origin?.content) this.#parent = origin;
  }
}
