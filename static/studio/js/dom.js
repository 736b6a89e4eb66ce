// @ts-check
/** Small tools for reading and writing the page; writing the same value again touches nothing. */

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
  const template = find(document, `#${templateId}`, HTMLTemplateElement);
  const copy = document.importNode(template.content, true).firstElementChild;
  if (!(copy instanceof HTMLElement)) throw new Error(`empty template ${templateId}`);
  return copy;
}

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

/** What was painted last, so that the page is neither read nor written where nothing is new. */
export class Painted {
  /** @type {Map<string, unknown>} */
  #values = new Map();

  /**
   * @param {string} name
   * @param {unknown} value
   * @returns {boolean} whether it is another one than before
   */
  isNew(name, value) {
    if (this.#values.has(name) && this.#values.get(name) === value) return false;
    this.#values.set(name, value);
    return true;
  }
}
