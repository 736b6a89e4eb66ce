// @ts-check
/** The form: prompt and settings, draft, sending; rarely used parts are loaded on demand. */

import { DRAFT_FIELDS, createFields } from "./composer-fields.js";
import { lineCounts, sendLabel, showForecast, updateModels } from "./composer-wait.js";
import { Parts, find, lazy, loadStyles, on, setAttribute, siteKey } from "../lib/dom.js";
import { createDraft } from "../state/draft.js";
import { gettext, label, length, number, size } from "../lib/i18n.js";
import { contentOf } from "../state/pending-requests.js";
import { newRequestKey } from "../connection/protocol.js";

/** @import {Content, Settings} from "./composer-fields.js" */
/** @import {Errors, SentSet} from "./composer-errors.js" */
/** @import {Lines} from "./composer-lines.js" */
/** @import {ComposerLimits} from "./composer-limits.js" */
/** @import {Origin, Parent} from "./composer-origin.js" */
/** @import {Sheet} from "./composer-sheet.js" */
/** @import {Bootstrap, Limits, Model, Refusal, Task} from "../connection/protocol.js" */
/** @import {SendState} from "./composer-wait.js" */
/** @import {KeyedMessage, PendingRequests} from "../state/pending-requests.js" */

/** The same content twice within this time is a mistake. */
const SAME_AGAIN_MS = 1_000;
/** Where the form is docked, as in composer.css: on a phone, upright or not. */
const DOCKED = matchMedia("(width < 768px), (width < 960px) and (height < 500px)");
/** A cheap test: only a text with such a line is parsed. */
const SETTINGS_LINE = /(?:^|\n)[ \t]*Steps:[ \t]*\d/;

/**
 * @param {Bootstrap} page
 * @param {PendingRequests} requests
 * @param {(message: KeyedMessage) => void} submit
 */
export function createComposer(page, requests, submit) {
  const form = find(document, "#composer", HTMLFormElement);
  const parts = new Parts(form);
  const prompt = find(form, "[name='prompt']", HTMLTextAreaElement);
  const sendButton = find(form, "#send", HTMLButtonElement);
  const fields = createFields(form, () => models);
  /** The prompt in the page's HTML: the server's example is not a draft. */
  const firstPrompt = page.defaults.prompt;
  let models = page.models;
  const draft = createDraft(siteKey(page.username), () => {
    const { values, locked } = fields;
    if (values.prompt === firstPrompt) delete values.prompt;
    return { ...values, locked, split: lines?.chosen ?? split, origin: parent };
  });
  let lastSent = { content: "", at: -Infinity };
  /** The last prompts that were sent together. @type {SentSet} */
  let sentSet = { text: "", keys: [], refused: [] };
  /** @type {SendState} */
  let sendState = { sending: false, connected: true, reason: null };
  let typedAt = -Infinity;
  /** The choice for several lines, "lines" or "one", from the draft. */
  let split = "";
  /** The picture to vary. @type {Parent | null} */
  let parent = null;
  let errors = /** @type {Errors | null} */ (null);
  let lines = /** @type {Lines | null} */ (null);
  let origin = /** @type {Origin | null} */ (null);
  let sheet = /** @type {Sheet | null} */ (null);
  let limits = /** @type {ComposerLimits | null} */ (null);
  const loadLimits = lazy(async () => {
    const loaded = await import("./composer-limits.js");
    limits ??= new loaded.ComposerLimits(parts, refresh);
  });
  const loadErrors = lazy(async () => {
    const { Errors } = await import("./composer-errors.js");
    return (errors = new Errors(form, fields, page.limits.lines, changed));
  });
  const loadLines = lazy(async () => {
    const { Lines } = await import("./composer-lines.js");
    lines = new Lines(form, split, changed);
    refresh();
    return lines;
  });
  const loadOrigin = lazy(async () => {
    const [{ Origin }] = await Promise.all([import("./composer-origin.js"), loadStyles(parts.get("origin"))]);
    origin = new Origin(form, () => setParent(null));
    refresh();
  });

  /** Whether the user is typing. */
  const isUserTyping = () => form.contains(document.activeElement) && performance.now() - typedAt < 10_000;

  /** @param {Model[]} received from the server */
  function setModels(received) {
    models = received;
    updateModels(find(form, "select", HTMLSelectElement), models);
    refresh();
  }

  /** @param {Limits} received @param {() => number} now the server's time, in Unix seconds */
  function setLimits(received, now) {
    if (!limits && parts.get("limits").hidden && Object.keys(received).length === 0) return;
    loadLimits().then(() => {
      limits?.set(received, now);
      refresh();
    }, () => {}); // the server says in a refusal what this would have shown
  }

  /** @param {SendState} state */
  function showSending(state) {
    sendState = state;
    refresh();
  }

  /** The server rejected a message: put its prompt back. @param {KeyedMessage} message @param {Refusal} refusal */
  async function refused(message, refusal) {
    const loaded = await loadErrors();
    loaded.restorePrompts(sentSet, message, refusal);
    changed();
  }

  /** @param {string} taskId @param {Settings} task @param {{seed: number | null, thumbnail: string}} picture */
  function vary(taskId, task, { seed, thumbnail }) {
    fields.fill({ ...task, seed });
    fields.locked = seed !== null;
    focusPrompt({ task: taskId, thumbnail, content: fields.content() });
  }

  /** Fill in the settings of a task. @param {Task} task */
  function reuse(task) {
    fields.fill(task);
    focusPrompt(null);
  }

  /** @param {string} example */
  function usePrompt(example) {
    prompt.value = example;
    focusPrompt(null);
  }

  /** @param {Parent | null} varied */
  function focusPrompt(varied) {
    errors?.clear();
    setParent(varied);
    sheet?.open();
    prompt.focus();
  }

  /** @param {Parent | null} varied */
  function setParent(varied) {
    parent = varied;
    changed();
  }

  function listen() {
    on(form, "submit", (event) => {
      event.preventDefault();
      submitForm();
    });
    on(form, "input", onInput);
    on(form, "keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
        event.preventDefault();
        submitForm();
      }
    });
    on(form, "click", (event) => {
      if (fields.handleClick(event)) changed();
    });
    on(prompt, "paste", (event) => {
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (!SETTINGS_LINE.test(text)) return;
      event.preventDefault();
      paste(text);
    });
    on(window, "pagehide", draft.save);
    if (/Mac|iPhone|iPad/.test(navigator.platform)) parts.setTexts({ keys: "⌘ ↵" });
    const fit = () => {
      if (!DOCKED.matches) return;
      import("./composer-sheet.js").then(({ Sheet }) => {
        sheet ??= new Sheet(form, DOCKED, () => prompt.focus());
      }, () => {}); // offline: until it is loaded, the form opens as a plain details element
    };
    on(DOCKED, "change", fit);
    on(window, "online", fit);
    fit();
  }

  /** @param {string} text that may be the settings of a picture */
  async function paste(text) {
    await loadErrors().catch(() => {});
    const settings = await import("./pasted-settings.js").catch(() => null);
    if (!settings?.fillIn(fields, text, () => pasteText(text))) return pasteText(text);
    changed();
    errors?.check(prompts(prompt.value))?.();
  }

  /** @param {string} text */
  function pasteText(text) {
    prompt.setRangeText(text, prompt.selectionStart, prompt.selectionEnd, "end");
    changed();
  }

  /** @param {Event} event */
  function onInput({ target }) {
    typedAt = performance.now();
    loadErrors().catch(() => {}); // the server checks everything again
    if (target instanceof HTMLInputElement && target.dataset.mirror) fields.set(target.dataset.mirror, target.value);
    if (target instanceof HTMLElement) errors?.clearOf(target);
    changed();
  }

  function changed() {
    refresh();
    parts.setTexts({ draft: "" });
    draft.saveSoon(() => parts.setTexts({ draft: gettext("Draft saved") }));
  }

  /** The prompt of each task that the text would become. @param {string} text */
  function prompts(text) {
    return lines?.prompts(text) ?? [text];
  }

  /** Show everything that follows from the values of the form. */
  function refresh() {
    const text = prompt.value;
    const texts = prompts(text);
    const { connected, sending } = sendState;
    const content = fields.content();
    const [width, height] = fields.size();
    const free = fields.value("ratio") === "free";
    const longest = Math.max(...texts.map(length));
    const n = Number(content.n);
    parts.setTexts({
      count: texts.length > 1 ? lineCounts(texts.length, longest) : number(longest),
      preview: text.trim() || gettext("Prompt"),
      "negative-preview": fields.value("negative_prompt"),
      size: size(width, height),
      "seed-state": fields.locked && fields.value("seed") !== "" ? gettext("kept") : "",
      send: sendLabel(sendState, texts.length * n),
    });
    const idle = content.guidance === 0 && "negative_prompt" in content;
    parts.setShown({ free, scales: !free, "negative-idle": idle });
    parts.get("count").parentElement?.toggleAttribute("data-over", longest > fields.limitOf("prompt"));
    fields.syncSliders();
    const model = models.find(({ name }) => name === content.model);
    const work = { width, height, steps: Number(content.steps), n, tasks: texts.length };
    const valid = fields.invalidNumber() ? null : work;
    showForecast(parts, model, valid, connected);
    limits?.show(valid);
    setAttribute(sendButton, "aria-busy", sending ? "true" : null);
    if (text.includes("\n")) loadLines().catch(() => {});
    lines?.show(text);
    if (parent) loadOrigin().catch(() => {});
    origin?.show(parent, content);
  }

  async function submitForm() {
    if (sendState.reason !== null) {
      draft.save();
      location.reload(); // a signed-out user is redirected to the sign-in page and back
      return;
    }
    // what is pressed is sent, even if the form changes while modules load
    const settings = fields.content();
    const text = prompt.value;
    const varied = parent;
    await loadErrors().catch(() => {});
    errors?.clear();
    if (text.includes("\n") && !(await loadLines().catch(() => null))) {
      errors?.show("prompt", label("error", "unavailable")); // without the parser it is unknown whether the text is one prompt or many
      return;
    }
    const texts = prompts(text);
    const wrong = errors?.check(texts);
    if (wrong) {
      sheet?.open();
      wrong();
      return;
    }
    if (varied) await loadOrigin().catch(() => {});
    const messages = messagesOf(texts, settings, varied);
    if (isRepeat(messages)) {
      parts.setTexts({ draft: gettext("Already sent; not drawn twice") });
      return;
    }
    lastSent = { content: messages.map(contentOf).join(), at: performance.now() };
    sentSet = { text, keys: messages.map((each) => each.request_key), refused: [] };
    for (const message of messages) submit(message);
    if (!fields.locked) fields.set("seed", "");
    if (sheet?.isOpen) sheet.close();
    else if (prompt.offsetParent !== null) prompt.focus({ preventScroll: true });
    changed();
  }

  /**
   * Each of `texts` becomes a task with the same settings.
   *
   * @param {string[]} texts
   * @param {Content} settings
   * @param {Parent | null} varied
   * @returns {KeyedMessage[]}
   */
  function messagesOf(texts, settings, varied) {
    /** @type {import("../connection/protocol.js").ClientMessage} */
    const content = { action: "generate", ...settings, ...(varied && { parent: varied.task }) };
    if (varied && origin?.isSame(varied, settings)) delete content.seed; // it would be the same picture
    return texts.map((text) => ({ ...content, prompt: text, request_key: newRequestKey() }));
  }

  /** A second press: of a message without an answer, however long that takes, or of one just sent. @param {KeyedMessage[]} messages */
  function isRepeat(messages) {
    if (messages.some(requests.hasSame)) return true;
    return messages.map(contentOf).join() === lastSent.content && performance.now() - lastSent.at < SAME_AGAIN_MS;
  }

  const { typedEarly } = fields;
  fields.fill(page.defaults);
  const { locked, split: chosen, origin: varied, ...values } = draft.load();
  for (const name of DRAFT_FIELDS) if (typeof values[name] === "string") fields.set(name, values[name]);
  fields.locked = locked === true;
  if (chosen === "lines" || chosen === "one") split = chosen;
  if (varied?.content) parent = varied;
  if (page.from) {
    const { task, data, seed, thumbnail } = page.from;
    vary(task, data, { seed, thumbnail });
    history.replaceState(history.state, "", location.pathname); // once
  }
  for (const [name, value] of typedEarly) fields.set(name, value);
  listen();
  setModels(page.models);

  return { isUserTyping, saveDraft: draft.save, setModels, setLimits, showSending, refused, vary, reuse, usePrompt };
}

/** @typedef {ReturnType<typeof createComposer>} Composer */
