// @ts-check
/** Helpers for reading and writing the page; an unchanged value writes nothing. */

/** The path of the site, from `<html data-base>`; "" without one. */
const BASE = (globalThis.document?.documentElement.dataset.base ?? "").replace(/\/$/, "");

/** The URL of a path of the site. @param {string} path begins with a slash */
export const siteUrl = (path) => BASE + path;

/** A key in the browser's storage, which all sites of one host share. @param {string} name */
export const siteKey = (name) => name + BASE;

/**
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T}
 */
export function find(root, selector, kind) {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`no ${kind.name} at ${selector}`);
  return found;
}

/** @typedef {WindowEventMap & DocumentEventMap & {[name: `studio:${string}`]: CustomEvent}} Events */

/**
 * Listen to an event of a target that may be missing in this page.
 *
 * @template {keyof Events} K
 * @param {EventTarget | null | undefined} target
 * @param {K} name
 * @param {(event: Events[K]) => unknown} run
 * @param {AddEventListenerOptions | boolean} [options]
 */
export const on = (target, name, run, options) => target?.addEventListener(/** @type {string} */ (name), /** @type {any} */ (run), options);

/** @param {string} id */
export const byId = (id) => document.getElementById(id);

/**
 * @param {ParentNode} root
 * @param {string} name
 * @returns {HTMLElement}
 */
export const part = (root, name) => find(root, `[data-part="${name}"]`, HTMLElement);

/**
 * @param {string} templateId
 * @returns {HTMLElement}
 */
export function clone(templateId) {
  const { content } = find(document, `#${templateId}`, HTMLTemplateElement);
  return find(document.importNode(content, true), "*", HTMLElement);
}

/**
 * The target of an event, or its nearest ancestor, that matches.
 *
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export const closest = ({ target }, selector) => (target instanceof Element ? target.closest(selector) : null);

/**
 * Whether a click has no other meaning for the page or the browser, such as opening a new window.
 *
 * @param {MouseEvent} event
 */
export const isPlain = ({ defaultPrevented, button, ctrlKey, metaKey, shiftKey, altKey }) =>
  !(defaultPrevented || button || ctrlKey || metaKey || shiftKey || altKey);

/**
 * Changes a text node in place, because new children would make the browser evaluate every `:has()`
 * of the page again.
 *
 * @param {Element} node
 * @param {string} text
 */
export function setText(node, text) {
  const [only, more] = node.childNodes;
  if (only instanceof Text && !more && text !== "") {
    if (only.data.trim() !== text) only.data = text;
  } else if (node.textContent?.trim() !== text) {
    node.textContent = text;
  }
}

/**
 * @param {Element} node
 * @param {string} name
 * @param {string | number | boolean | null} value null and false remove it, true sets it empty
 */
export function setAttribute(node, name, value) {
  if (value === null || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/**
 * CSSOM is allowed where a style attribute is not.
 *
 * @param {HTMLElement | SVGElement} node
 * @param {string} name
 * @param {string | number | null} value
 */
export function setProperty(node, name, value) {
  const text = value === null ? "" : String(value);
  if (node.style.getPropertyValue(name) !== text) node.style.setProperty(name, text);
}

/**
 * Load once, on the first call; after a failure the next call tries again.
 *
 * @template T
 * @template {unknown[]} A
 * @param {(...values: A) => Promise<T>} load
 * @returns {(...values: A) => Promise<T>}
 */
export function lazy(load) {
  /** @type {Promise<T> | undefined} */
  let loading;
  return (...values) => (loading ??= load(...values).catch((error) => {
    loading = undefined;
    throw error;
  }));
}

/**
 * Load the style sheet that an element names in `data-styles`, once.
 *
 * @param {HTMLElement | null} element
 * @returns {Promise<void>}
 */
export const loadStyles = (element) => new Promise((resolve, reject) => {
  const { styles } = element?.dataset ?? {};
  if (!element || !styles) return resolve();
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = styles;
  link.onload = () => {
    delete element.dataset.styles;
    resolve();
  };
  link.onerror = () => {
    link.remove();
    reject(new Error("no styles"));
  };
  document.head.append(link);
});

/** An element and its parts, found once; unchanged values neither read nor write the page. */
export class Parts {
  #root;
  /** @type {Map<string, HTMLElement>} */
  #found = new Map();
  /** @type {Map<string, unknown>} */
  #values = new Map();

  /** @param {Element} root */
  constructor(root) {
    this.#root = root;
  }

  /** @param {string} name */
  get(name) {
    let found = this.#found.get(name);
    if (!found) this.#found.set(name, (found = part(this.#root, name)));
    return found;
  }

  /**
   * @param {string} name
   * @param {unknown} value
   * @returns {boolean} whether it differs from the last one
   */
  hasChanged(name, value) {
    if (this.#values.get(name) === value && this.#values.has(name)) return false;
    this.#values.set(name, value);
    return true;
  }

  /** @param {Record<string, string>} texts by the name of their part */
  setTexts(texts) {
    for (const name in texts) if (this.hasChanged(name, texts[name])) setText(this.get(name), texts[name]);
  }

  /** @param {Record<string, boolean>} parts which of them are shown */
  setShown(parts) {
    for (const name in parts) if (this.hasChanged(`?${name}`, parts[name])) this.get(name).hidden = !parts[name];
  }

  /** @param {Record<string, string | number | boolean | null>} values of the root's `data-` attributes by name */
  setData(values) {
    for (const name in values) {
      if (this.hasChanged(`=${name}`, values[name])) setAttribute(this.#root, `data-${name}`, values[name]);
    }
  }
}
