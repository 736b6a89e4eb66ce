// @ts-check
/** The strip: what was decided just now, the current picture, and the next twenty. */

import { isDecided } from "./review-reducer.js";

/** @typedef {import("./review-reducer.js").Desk} Desk */
/** @typedef {import("./review-reducer.js").Item} Item */

const BEFORE = 2;
const BEHIND = 20;

export class Strip {
  /** @type {Map<number, HTMLElement>} */
  #nodes = new Map();

  /**
   * @param {HTMLElement} list
   * @param {HTMLTemplateElement} template
   * @param {(id: number) => string} address
   * @param {(item: Item) => string} note
   */
  constructor(list, template, address, note) {
    this.list = list;
    this.template = template;
    this.address = address;
    this.note = note;
    list.replaceChildren();
  }

  /** @param {Desk} desk */
  render({ items, current }) {
    const here = items.findIndex(({ id }) => id === current);
    const last = here < 0 ? items.length : here;
    const shown = items.slice(Math.max(0, last - BEFORE), last + BEHIND + 1);
    const nodes = shown.map((item) => this.#node(item, item.id === current));
    this.#nodes = new Map(shown.map((item, number) => [item.id, nodes[number]]));
    if (nodes.length !== this.list.children.length || nodes.some((node, number) => this.list.children[number] !== node)) {
      this.list.replaceChildren(...nodes);
    }
  }

  /** @param {Item} item @param {boolean} isCurrent */
  #node(item, isCurrent) {
    const node = this.#nodes.get(item.id) ?? this.#create(item);
    node.toggleAttribute("data-decided", isDecided(item));
    node.dataset.state = item.pending || item.state;
    const link = /** @type {HTMLElement} */ (node.querySelector("a"));
    if (isCurrent) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    const note = /** @type {HTMLElement} */ (node.querySelector(".strip__note"));
    const text = this.note(item);
    if (note.textContent !== text) note.textContent = text;
    return node;
  }

  /** @param {Item} item */
  #create(item) {
    const node = /** @type {HTMLElement} */ (/** @type {Element} */ (this.template.content.firstElementChild).cloneNode(true));
    node.dataset.id = String(item.id);
    const image = /** @type {HTMLImageElement} */ (node.querySelector("img"));
    image.width = item.width;
    image.height = item.height;
    image.alt = item.prompt.slice(0, 60);
    image.src = item.thumbnail;
    /** @type {HTMLAnchorElement} */ (node.querySelector("a")).href = this.address(item.id);
    return node;
  }
}
