// @ts-check
/** The grid: many pictures, of which those that are selected are approved at once. */

import { isLoaded } from "./review-picture.js";
import { waiting } from "./review-reducer.js";

/** @typedef {import("./review-reducer.js").Desk} Desk */
/** @typedef {import("./review-reducer.js").Item} Item */

export const MAX_TILES = 60;

export class Tiles {
  /** @type {Map<number, HTMLElement>} */
  #nodes = new Map();
  /** The tile from which a range is selected. @type {HTMLInputElement | null} */
  #anchor = null;
  /** What a sweep does to the tiles under it; null without one. @type {boolean | null} */
  #sweep = null;

  /**
   * @param {HTMLElement} root
   * @param {HTMLTemplateElement} template
   * @param {(id: number) => string} address
   * @param {() => void} changed
   */
  constructor(root, template, address, changed) {
    this.root = root;
    this.list = /** @type {HTMLElement} */ (root.querySelector("[data-part='tiles']"));
    this.template = template;
    this.address = address;
    this.changed = changed;
    this.list.addEventListener("click", (event) => this.#onClick(event));
    this.list.addEventListener("change", changed);
    this.list.addEventListener("pointerdown", (event) => this.#onPress(event));
    this.list.addEventListener("pointerover", (event) => this.#onOver(event));
    for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) window.addEventListener(name, () => (this.#sweep = null));
  }

  /** @param {Desk} desk */
  render(desk) {
    const items = waiting(desk).slice(0, MAX_TILES);
    const nodes = items.map((item) => this.#nodes.get(item.id) ?? this.#create(item));
    this.#nodes = new Map(items.map((item, number) => [item.id, nodes[number]]));
    if (nodes.length !== this.list.children.length || nodes.some((node, number) => this.list.children[number] !== node)) {
      this.list.replaceChildren(...nodes);
    }
    this.changed();
  }

  get boxes() {
    return /** @type {HTMLInputElement[]} */ ([...this.list.querySelectorAll("input")]);
  }

  /** @returns {[id: number, version: number][]} as they were shown */
  get selected() {
    const checked = this.boxes.filter((box) => box.checked);
    return checked.map(({ dataset }) => [Number(dataset.id), Number(dataset.version)]);
  }

  /** @param {boolean} on */
  selectAll(on) {
    for (const box of this.boxes) check(box, on);
    this.changed();
  }

  /** @param {1 | -1} by */
  walk(by) {
    const { boxes } = this;
    const here = boxes.findIndex((box) => box === document.activeElement);
    boxes[here < 0 ? 0 : Math.min(boxes.length - 1, Math.max(0, here + by))]?.focus();
  }

  /** @param {MouseEvent} event */
  #onClick({ target, shiftKey }) {
    if (!(target instanceof HTMLInputElement)) return;
    check(target, target.checked);
    if (shiftKey && this.#anchor?.isConnected) {
      const { boxes } = this;
      const [first, last] = [boxes.indexOf(this.#anchor), boxes.indexOf(target)].sort((a, b) => a - b);
      for (const box of boxes.slice(first, last + 1)) check(box, target.checked);
      this.changed();
    }
    this.#anchor = target;
  }

  /** A finger scrolls. @param {PointerEvent} event */
  #onPress(event) {
    const box = boxAt(event.target);
    if (!box || event.pointerType === "touch" || event.button !== 0 || event.shiftKey) return;
    this.#sweep = !box.checked;
    this.#anchor = box;
  }

  /** @param {PointerEvent} event */
  #onOver({ target, buttons }) {
    const box = boxAt(target);
    if (this.#sweep === null || !box || box === this.#anchor || !(buttons & 1)) return;
    for (const each of [this.#anchor, box]) if (each) check(each, this.#sweep);
    this.changed();
  }

  /** @param {Item} item */
  #create(item) {
    const node = /** @type {HTMLElement} */ (/** @type {Element} */ (this.template.content.firstElementChild).cloneNode(true));
    node.dataset.state = item.state;
    const box = /** @type {HTMLInputElement} */ (node.querySelector("input"));
    box.dataset.id = String(item.id);
    box.dataset.version = String(item.version);
    box.setAttribute("aria-label", item.prompt.slice(0, 120));
    const image = /** @type {HTMLImageElement} */ (node.querySelector("img"));
    image.width = item.width;
    image.height = item.height;
    image.src = item.thumbnail;
    /** @type {HTMLElement} */ (node.querySelector(".tile__prompt")).textContent = item.prompt;
    const link = /** @type {HTMLAnchorElement} */ (node.querySelector("a"));
    link.href = this.address(item.id);
    link.dataset.open = String(item.id);
    return node;
  }
}

/** A picture that is not loaded has not been seen, and cannot be selected. @param {HTMLInputElement} box @param {boolean} on */
export function check(box, on) {
  box.checked = on && isLoaded(box.parentElement?.querySelector("img") ?? null);
}

/** @param {EventTarget | null} target */
function boxAt(target) {
  const tile = target instanceof Element ? target.closest(".tile") : null;
  return /** @type {HTMLInputElement | null} */ (tile?.querySelector("input") ?? null);
}
