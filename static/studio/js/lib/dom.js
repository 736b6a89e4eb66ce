// @ts-check
/** Small tools for the page: reading and writing it (the same value again touches nothing), and where its site lies. */

/** The path below which the site lies, as `<html data-base>` says; "" without one. */
const BASE = (globalThis.document?.documentElement.dataset.base ?? "").replace(/\/$/, "");

/**
 * The address of a path of the site.
 *
 * @param {string} path begins with a slash
 */
export const at = (path) => BASE + path;

/**
 * A name in the browser's storage, which all sites below one host share.
 *
 * @param {string} name
 */
export const ofThisSite = (name) => name + BASE;

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
 * Listens to an event; what is not in this page has none.
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
 * Of what was pressed, and what is around it, the next one that matches.
 *
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export const closest = ({ target }, selector) => (target instanceof Element ? target.closest(selector) : null);

/**
 * A click that neither another part of the page nor the browser has a use for: a button or a key chooses a window.
 *
 * @param {MouseEvent} event
 */
export const isPlain = ({ defaultPrevented, button, ctrlKey, metaKey, shiftKey, altKey }) =>
  !(defaultPrevented || button || ctrlKey || metaKey || shiftKey || altKey);

/**
 * A text that is there already is changed in place: children that come and go would make the
 * browser ask every `:has()` of the page again.
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
 * What is loaded when it is needed first; where that failed, it is asked for again.
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
 * The styles that an element names, loaded once; resolves when they are there.
 *
 * @param {HTMLElement | null} element
 * @returns {Promise<void>}
 */
export const dress = (element) => new Promise((resolve, reject) => {
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

/** An element and its parts, found once; where nothing is new the page is neither read nor written. */
export class Face {
  #root;
  /** @type {Map<string, HTMLElement>} */
  #parts = new Map();
  /** @type {Map<string, unknown>} */
  #shown = new Map();

  /** @param {Element} root */
  constructor(root) {
    this.#root = root;
  }

  /** @param {string} name */
  part(name) {
    let found = this.#parts.get(name);
    if (!found) this.#parts.set(name, (found = part(this.#root, name)));
    return found;
  }

  /**
   * @param {string} name
   * @param {unknown} value
   * @returns {boolean} whether it is another one than before
   */
  isNew(name, value) {
    if (this.#shown.get(name) === value && this.#shown.has(name)) return false;
    this.#shown.set(name, value);
    return true;
  }

  /** @param {Record<string, string>} texts by the name of their part */
  tell(texts) {
    for (const name in texts) if (this.isNew(name, texts[name])) setText(this.part(name), texts[name]);
  }

  /** @param {Record<string, boolean>} parts which of them are shown */
  reveal(parts) {
    for (const name in parts) if (this.isNew(`?${name}`, parts[name])) this.part(name).hidden = !parts[name];
  }

  /** @param {Record<string, string | number | boolean | null>} marks by the name of the element's own `data-` attribute */
  mark(marks) {
    for (const name in marks) {
      if (this.isNew(`=${name}`, marks[name])) setAttribute(this.#root, `data-${name}`, marks[name]);
    }
  }
}
