// @ts-check
/** Details of the picture on the stage, and actions on it. */

import { drawAgain, moveToTrash, setFavourite, share } from "../card/actions.js";
import { copyText } from "../ui/copy.js";
import { clone, find, part, setAttribute, setText, siteUrl } from "../lib/dom.js";
import { duration, gettext, number, size, timeOfDay } from "../lib/i18n.js";
import { toast } from "../ui/messages.js";

/** @import {Settings} from "../card/actions.js" */
/** @import {Picture} from "../connection/protocol.js" */

/** @typedef {{key: string, thumbnail_url: string, task_url: string, change: string, current: boolean}} Relative */

/**
 * @typedef {object} About what GET /pictures/<task>/<index>/about/ answers
 * @property {string} key
 * @property {string} task
 * @property {number} index
 * @property {number} count
 * @property {string} url
 * @property {string} thumbnail_url
 * @property {string} task_url
 * @property {string} prompt
 * @property {string} negative_prompt
 * @property {string} model
 * @property {number} width
 * @property {number} height
 * @property {number} steps
 * @property {number} guidance
 * @property {number} seed
 * @property {number} bytes
 * @property {string} format
 * @property {number} seconds of this one
 * @property {number} created Unix seconds
 * @property {boolean} favourite
 * @property {boolean} demo
 * @property {Picture["notice"]} [notice] why it is withheld
 * @property {string} parameters
 * @property {Settings} settings
 * @property {Relative[]} lineage
 */

const MEGABYTE = 1024 * 1024;
const COPIED_MS = 2_000;

/** @type {Record<string, () => string>} */
const CHANGE = {
  prompt: () => gettext("different prompt"),
  negative_prompt: () => gettext("different negative prompt"),
  model: () => gettext("different model"),
  size: () => gettext("different size"),
  steps: () => gettext("different steps"),
  guidance: () => gettext("different guidance"),
  seed: () => gettext("new seed"),
  again: () => gettext("same settings again"),
};

export class Panel {
  #root;
  #heart;
  /** @type {About | null} */
  #about = null;
  #key = "";

  /**
   * @param {HTMLElement} root
   * @param {HTMLElement} heart the button, which stands outside of the panel
   */
  constructor(root, heart) {
    this.#root = root;
    this.#heart = heart;
    heart.addEventListener("click", () => this.toggleFavourite());
    this.#on("copy-prompt", (button) => copied(button, this.#about?.prompt));
    this.#on("copy-parameters", (button) => copied(button, this.#about?.parameters));
    this.#on("again", () => this.#drawAgain());
    this.#on("share", () => this.#about && share(this.#about.task));
    this.#on("delete", () => this.delete());
    document.addEventListener("studio:favourite", (event) => {
      const { key, favourite } = /** @type {CustomEvent<{key: string, favourite: boolean}>} */ (event).detail;
      if (this.#about?.key !== key) return;
      this.#about.favourite = favourite;
      this.#paintHeart(favourite);
    });
  }

  /**
   * @param {string} name
   * @param {(button: HTMLElement) => unknown} run
   */
  #on(name, run) {
    const button = part(this.#root, name);
    button.addEventListener("click", () => run(button));
  }

  /** Clear the details of the last picture. @param {string} key */
  reset(key) {
    this.#key = key;
    this.#about = null;
    setAttribute(this.#root, "data-known", false);
    part(this.#root, "missing").hidden = true;
    part(this.#root, "vary").setAttribute("href", siteUrl(`/?from=${key}`));
    part(this.#root, "vary-small").setAttribute("href", siteUrl(`/?from=${key}&small=1`));
  }

  /** @param {About} about */
  show(about) {
    this.#about = about;
    const root = this.#root;
    setText(part(root, "number"), gettext("Picture %(i)s of %(n)s", { i: about.index, n: about.count }));
    setText(part(root, "prompt"), about.prompt || gettext("Prompt removed"));
    part(root, "copy-prompt").hidden = about.prompt === "";
    setText(part(root, "size"), `${size(about.width, about.height)} · ${weight(about.bytes)} · ${about.format.toUpperCase()}`);
    setText(part(root, "seed"), String(about.seed));
    setText(part(root, "steps"), `${about.steps} / ${number(about.guidance, 0, 2)}`);
    setText(part(root, "negative"), about.negative_prompt);
    part(root, "negative-row").hidden = about.negative_prompt === "";
    setText(part(root, "model"), about.model);
    part(root, "demo").hidden = !about.demo;
    setText(part(root, "took"), duration(about.seconds));
    part(root, "task").setAttribute("href", about.task_url);
    setText(part(root, "created"), timeOfDay(about.created));
    setText(part(root, "parameters"), about.parameters);
    part(root, "download").setAttribute("href", `${about.url}?download=1`);
    this.#paintLineage(about.lineage);
    this.#paintHeart(about.favourite);
    setAttribute(root, "data-withheld", !!about.notice);
    setAttribute(root, "data-known", true);
    root.scrollTop = 0;
    for (const name of ["prompt", "parameters"]) makeScrollable(part(root, name));
  }

  /** The details could not be loaded; the picture may still be shown. */
  fail() {
    part(this.#root, "missing").hidden = false;
  }

  toggleFavourite() {
    if (this.#about) void setFavourite([this.#about.key], !this.#about.favourite);
  }

  delete() {
    return moveToTrash({ pictures: [this.#key] });
  }

  download() {
    part(this.#root, "download").click();
  }

  async #drawAgain() {
    if (!this.#about) return;
    const task = await drawAgain(this.#about.settings, this.#about.task);
    if (!task) return;
    const open = { label: gettext("Open"), run: () => location.assign(siteUrl(`/tasks/${task}/`)) };
    toast(gettext("Queued again, with a new seed"), "plain", open);
  }

  /** @param {boolean} favourite */
  #paintHeart(favourite) {
    setAttribute(this.#heart, "aria-pressed", String(favourite));
  }

  /** @param {Relative[]} lineage */
  #paintLineage(lineage) {
    part(this.#root, "lineage").hidden = lineage.length < 2;
    const items = lineage.map((relative) => {
      const item = clone("relative-template");
      const change = part(item, "change");
      setText(part(change, "words"), CHANGE[relative.change]?.() ?? relative.change);
      change.hidden = relative.change === "";
      const link = part(item, "link");
      link.setAttribute("href", relative.task_url);
      link.dataset.relative = relative.key;
      setAttribute(link, "aria-current", relative.current ? "true" : null);
      find(link, "img", HTMLImageElement).src = relative.thumbnail_url;
      return item;
    });
    part(this.#root, "relatives").replaceChildren(...items);
  }
}

/** @param {HTMLElement} text that may overflow */
function makeScrollable(text) {
  text.scrollTop = 0;
  setAttribute(text, "tabindex", text.scrollHeight > text.clientHeight ? 0 : null);
}

/** @param {number} bytes */
const weight = (bytes) =>
  bytes >= MEGABYTE ? `${number(bytes / MEGABYTE, 1)} MB` : `${number(Math.max(1, Math.round(bytes / 1024)))} KB`;

/**
 * @param {HTMLElement} button
 * @param {string} [text]
 */
async function copied(button, text) {
  if (text === undefined) return;
  const words = part(button, "words");
  const before = words.textContent ?? "";
  if (button.dataset.copied !== undefined) return;
  const done = await copyText(text);
  button.dataset.copied = "";
  setText(words, done ? gettext("Copied") : gettext("The browser does not allow copying here"));
  setTimeout(() => {
    setText(words, before);
    delete button.dataset.copied;
  }, COPIED_MS);
}
