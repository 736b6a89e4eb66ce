// @ts-check
/** The form: prompt and settings, draft, field errors, the sheet on phones. */

import { Draft } from "./draft.js";
import { find, part, setAttribute, setProperty, setText } from "./dom.js";
import { length, number, size } from "./format.js";
import { fill, gettext, ngettext } from "./i18n.js";
import { errorSentence, reasonLabel } from "./labels.js";
import { newRequestKey } from "./protocol.js";
import { Sheet } from "./sheet.js";
import { outputSize } from "./sizes.js";

/** @import {Bootstrap, Model, Task} from "./protocol.js" */
/** @import {KeyedMessage} from "./outbox.js" */

const PROMPT_MOST = 2000;
const SEED_MOST = 4_294_967_295;
const DRAFT_AFTER_MS = 300;
/** A second press on the same content within this time is a slip of the finger. */
const SAME_AGAIN_MS = 1_000;

const DRAFT_FIELDS = [
  "prompt", "negative_prompt", "ratio", "scale", "width", "height", "n", "seed", "steps", "guidance", "model",
];

export class Composer {
  #form = find(document, "#composer", HTMLFormElement);
  #prompt = find(this.#form, "[name='prompt']", HTMLTextAreaElement);
  #send = find(this.#form, "#send", HTMLButtonElement);
  #lock = find(this.#form, "[data-lock]", HTMLButtonElement);
  #sheet = new Sheet(this.#form, () => this.#prompt.focus());
  #models;
  #submit;
  #draft;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #draftTimer;
  #last = { content: "", at: -Infinity };
  #typedAt = -Infinity;

  /**
   * @param {Bootstrap} page
   * @param {(message: KeyedMessage) => void} submit
   */
  constructor(page, submit) {
    this.#submit = submit;
    this.#models = page.models;
    this.#draft = new Draft(page.username);
    this.#fillFrom(page.defaults.width, page.defaults.height);
    this.#restore();
    this.#listen();
    this.#refresh();
  }

  /** Whether somebody is in the middle of writing. */
  isBeingTyped() {
    return this.#form.contains(document.activeElement) && performance.now() - this.#typedAt < 10_000;
  }

  /** Keep the draft now: the page is about to go away. */
  keepDraft() {
    this.#saveDraft();
  }

  /**
   * @param {{pending: number, connected: boolean}} state
   */
  showSending({ pending, connected }) {
    const sending = pending > 0 && connected;
    setAttribute(this.#send, "aria-busy", sending ? "true" : null);
    const words = sending ? gettext("Sending…") : connected ? gettext("Draw pictures") : gettext("Send when connected");
    setText(part(this.#send, "send"), words);
  }

  /**
   * @param {string} code
   * @param {string | undefined} field
   * @param {string} [message]
   */
  showError(code, field = "", message = "") {
    const place = this.#errorPlace(field) ?? this.#errorPlace("");
    if (!place) return;
    place.textContent = errorSentence(code, message);
    place.hidden = false;
    const input = this.#form.elements.namedItem(field === "size" ? "width" : field);
    if (input instanceof HTMLElement) {
      input.setAttribute("aria-invalid", "true");
      if (this.#form.contains(document.activeElement) || field === "prompt") input.focus();
    }
  }

  /** Take over what a task was made with. @param {Task} task */
  reuse(task) {
    this.#prompt.value = task.prompt;
    this.#set("negative_prompt", task.negative_prompt);
    this.#fillFrom(task.width, task.height);
    this.#set("n", String(task.n));
    this.#set("steps", String(task.steps));
    this.#set("guidance", String(task.guidance));
    this.#set("seed", task.seed === null ? "" : String(task.seed));
    if (this.#models.some((model) => model.name === task.model)) this.#set("model", task.model);
    this.#changed();
    this.#sheet.open();
    this.#prompt.focus();
  }

  /** @param {string} prompt */
  usePrompt(prompt) {
    this.#prompt.value = prompt;
    this.#changed();
    this.#sheet.open();
    this.#prompt.focus();
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
      this.#set("seed", String(crypto.getRandomValues(new Uint32Array(1))[0]));
      this.#changed();
    });
    this.#lock.addEventListener("click", () => {
      setAttribute(this.#lock, "aria-pressed", String(this.#lock.getAttribute("aria-pressed") !== "true"));
      this.#changed();
    });
    addEventListener("pagehide", () => this.#saveDraft());
    if (/Mac|iPhone|iPad/.test(navigator.platform)) setText(part(this.#form, "keys"), "⌘ ↵");
  }

  /** @param {Event} event */
  #input(event) {
    this.#typedAt = performance.now();
    const target = event.target;
    if (target instanceof HTMLInputElement && target.dataset.mirror) this.#set(target.dataset.mirror, target.value);
    if (target instanceof HTMLElement) this.#clearError(target);
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
    const count = length(this.#prompt.value);
    setText(part(this.#form, "count"), number(count));
    setAttribute(find(this.#form, "#prompt-count", HTMLElement), "data-over", count > PROMPT_MOST);
    setText(part(this.#form, "preview"), this.#prompt.value.trim() || gettext("Prompt"));
    setText(part(this.#form, "negative-preview"), this.#value("negative_prompt"));
    const [width, height] = this.#size();
    setText(part(this.#form, "size"), size(width, height));
    const free = this.#value("ratio") === "free";
    part(this.#form, "free").hidden = !free;
    part(this.#form, "scales").hidden = free;
    const locked = this.#lock.getAttribute("aria-pressed") === "true";
    setText(part(this.#form, "seed-state"), locked && this.#value("seed") ? gettext("kept") : "");
    for (const slider of this.#form.querySelectorAll("[data-mirror]")) {
      if (slider instanceof HTMLInputElement) this.#mirror(slider);
    }
    this.#refreshModel();
  }

  /** @param {HTMLInputElement} slider */
  #mirror(slider) {
    const value = Number(this.#value(slider.dataset.mirror ?? ""));
    slider.value = String(value);
    const [least, most] = [Number(slider.min), Number(slider.max)];
    const share = Math.min(1, Math.max(0, (value - least) / (most - least)));
    setProperty(slider, "--share", `${(share * 100).toFixed(1)}%`);
  }

  #refreshModel() {
    const model = this.#models.find(({ name }) => name === this.#value("model"));
    const state = part(this.#form, "model-state");
    setText(state, model ? modelWords(model) : "");
    setAttribute(state, "data-ready", model ? String(model.ready) : null);
  }

  #trySubmit() {
    this.#clearErrors();
    const wrong = this.#check();
    if (wrong) {
      this.#sheet.open();
      this.showError(wrong.code, wrong.field);
      return;
    }
    const content = this.#content();
    const text = JSON.stringify(content);
    if (text === this.#last.content && performance.now() - this.#last.at < SAME_AGAIN_MS) {
      setText(part(this.#form, "draft"), gettext("Already sent; not drawn twice"));
      return;
    }
    this.#last = { content: text, at: performance.now() };
    this.#submit({ action: "generate", ...content, request_key: newRequestKey() });
    if (this.#lock.getAttribute("aria-pressed") !== "true") this.#set("seed", "");
    if (this.#sheet.isOpen) this.#sheet.close();
    else if (this.#prompt.offsetParent !== null) this.#prompt.focus({ preventScroll: true });
    this.#changed();
  }

  /** @returns {Record<string, string | number>} */
  #content() {
    const [width, height] = this.#size();
    /** @type {Record<string, string | number>} */
    const content = {
      prompt: this.#prompt.value,
      model: this.#value("model"),
      size: `${width}x${height}`,
      n: Number(this.#value("n")),
      steps: Number(this.#value("steps")),
      guidance: Number(this.#value("guidance")),
    };
    if (this.#value("negative_prompt").trim()) content.negative_prompt = this.#value("negative_prompt");
    if (this.#value("seed").trim()) content.seed = Number(this.#value("seed"));
    return content;
  }

  /** The first thing the server would refuse; it checks everything again. */
  #check() {
    const prompt = this.#prompt.value;
    const seed = this.#value("seed").trim();
    const [steps, guidance] = [Number(this.#value("steps")), Number(this.#value("guidance"))];
    if (prompt.trim() === "") return { code: "prompt_empty", field: "prompt" };
    if (length(prompt) > PROMPT_MOST) return { code: "prompt_too_long", field: "prompt" };
    if (this.#size().some((side) => side % 16 !== 0 || side < 256 || side > 2048)) return { code: "size_invalid", field: "size" };
    if (!/^\d*$/.test(seed) || Number(seed) > SEED_MOST) return { code: "seed_invalid", field: "seed" };
    if (!Number.isInteger(steps) || steps < 1 || steps > 100) return { code: "steps_invalid", field: "steps" };
    if (!(guidance >= 0 && guidance <= 30)) return { code: "guidance_invalid", field: "guidance" };
    return null;
  }

  /** @returns {[number, number]} */
  #size() {
    const ratio = this.#value("ratio");
    if (ratio === "free") return [Number(this.#value("width")), Number(this.#value("height"))];
    return outputSize(ratio, Number(this.#value("scale")));
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #fillFrom(width, height) {
    this.#set("width", String(width));
    this.#set("height", String(height));
    for (const ratio of ["1:1", "3:4", "4:3", "9:16", "16:9"]) {
      for (const scale of [512, 768, 1024]) {
        const [w, h] = outputSize(ratio, scale);
        if (w === width && h === height) {
          this.#set("ratio", ratio);
          this.#set("scale", String(scale));
          return;
        }
      }
    }
    this.#set("ratio", "free");
  }

  /** @param {string} name */
  #value(name) {
    const input = this.#form.elements.namedItem(name);
    return input && "value" in input ? String(input.value) : "";
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  #set(name, value) {
    const input = this.#form.elements.namedItem(name);
    if (input instanceof RadioNodeList || input instanceof HTMLInputElement) input.value = value;
    else if (input instanceof HTMLTextAreaElement || input instanceof HTMLSelectElement) input.value = value;
  }

  /** @param {string} field */
  #errorPlace(field) {
    const place = this.#form.querySelector(`[data-error="${CSS.escape(field)}"]`);
    return place instanceof HTMLElement ? place : null;
  }

  /** @param {HTMLElement} input */
  #clearError(input) {
    input.removeAttribute("aria-invalid");
    const name = input.getAttribute("name") ?? "";
    const field = ["width", "height", "ratio", "scale"].includes(name) ? "size" : name;
    for (const place of [this.#errorPlace(field), this.#errorPlace("")]) if (place) place.hidden = true;
  }

  #clearErrors() {
    for (const place of this.#form.querySelectorAll("[data-error]")) /** @type {HTMLElement} */ (place).hidden = true;
    for (const input of this.#form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  }

  #saveDraft() {
    const locked = this.#lock.getAttribute("aria-pressed") === "true";
    const values = Object.fromEntries(DRAFT_FIELDS.map((name) => [name, this.#value(name)]));
    return this.#draft.save({ ...values, locked });
  }

  #restore() {
    const { locked, ...values } = this.#draft.load();
    for (const name of DRAFT_FIELDS) {
      const value = values[name];
      const served = name !== "model" || this.#models.some((model) => model.name === value);
      if (typeof value === "string" && served) this.#set(name, value);
    }
    setAttribute(this.#lock, "aria-pressed", String(locked === true));
  }
}

/** @param {Model} model */
function modelWords(model) {
  if (!model.ready) return model.reason ? reasonLabel(model.reason) : gettext("not ready");
  const replicas = ngettext("%(n)s replica", "%(n)s replicas", model.replicas);
  return `${gettext("Ready")} · ${fill(replicas, { n: model.replicas })}`;
}
