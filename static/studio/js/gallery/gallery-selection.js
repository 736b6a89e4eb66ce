// @ts-check
/** Selection of pictures: checkboxes, ranges, keys, and the bar of actions. */

import { moveToTrash, setFavourite, share } from "../card/actions.js";
import { find, part, setAttribute, setText, siteUrl } from "../lib/dom.js";
import { tilesOf } from "./gallery-days.js";
import { gettext, ngettext } from "../lib/i18n.js";
import { isTyping } from "../viewer/viewer-keys.js";

const COMPARED = { least: 2, most: 6 };
/** Deleting this many asks first. */
const MANY = 10;
const CONFIRM_MS = 4_000;

/** @param {Element} tile */
const boxOf = (tile) => tile.querySelector("input[name='pictures']");

export class Selection {
  #gallery;
  #bar;
  /** Pictures that one request may name. */
  #most;
  #announce;
  /** Start of a range. @type {HTMLElement | null} */
  #anchor = null;
  /** How many pictures the button asks about. */
  #confirming = 0;

  /**
   * @param {HTMLElement} gallery
   * @param {(sentence: string) => void} announce
   */
  constructor(gallery, announce) {
    this.#gallery = gallery;
    this.#bar = find(document, "#selection", HTMLElement);
    this.#most = Number(this.#bar.dataset.most);
    this.#announce = announce;
    for (const action of this.#bar.querySelectorAll("[data-action]")) action.removeAttribute("hidden");
    gallery.addEventListener("click", (event) => this.#click(event), { capture: true });
    this.#bar.addEventListener("click", (event) => this.#handleBarClick(event));
    document.addEventListener("keydown", (event) => this.#key(event));
    this.refresh();
  }

  /** @returns {HTMLElement[]} */
  get #tiles() {
    return tilesOf(this.#gallery).filter(boxOf);
  }

  /** @returns {HTMLElement[]} */
  get chosen() {
    return this.#tiles.filter((tile) => boxIn(tile).checked);
  }

  get #keys() {
    return this.chosen.map((tile) => tile.dataset.key ?? "");
  }

  /** Paint the bar from the boxes. */
  refresh() {
    const { chosen } = this;
    const keys = this.#keys;
    setText(part(this.#bar, "count"), ngettext("%(n)s selected", "%(n)s selected", keys.length));
    const compare = find(this.#bar, "[data-part='compare']", HTMLAnchorElement);
    compare.hidden = keys.length < COMPARED.least || keys.length > COMPARED.most;
    compare.href = siteUrl(`/compare/?${new URLSearchParams(keys.map((key) => ["picture", key]))}`);
    find(this.#bar, "[data-action='share']", HTMLElement).hidden = keys.length !== 1;
    setText(part(this.#bar, "favourite"), this.#allFavourite(chosen) ? gettext("Remove favourite") : gettext("Favourite"));
    setAttribute(this.#gallery, "data-choosing", keys.length > 0);
  }

  /** Clear the selection. */
  leave() {
    const last = this.chosen.at(-1);
    if (!last) return;
    for (const tile of this.chosen) boxIn(tile).checked = false;
    this.#anchor = null;
    if (this.#bar.contains(document.activeElement)) last.querySelector("a")?.focus();
    this.#changed();
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const target = event.target instanceof Element ? event.target : null;
    const tile = target?.closest(".tile");
    if (!(tile instanceof HTMLElement) || !boxOf(tile)) return;
    const box = boxIn(tile);
    if (target === box) {
      if (event.shiftKey) this.#range(tile, box.checked);
      this.#anchor = tile;
      this.#changed();
    } else if (target?.closest("a") && (event.shiftKey || this.#isChoosing(event))) {
      event.preventDefault();
      event.stopPropagation();
      box.checked = !box.checked || event.shiftKey;
      if (event.shiftKey) this.#range(tile, true);
      this.#anchor = tile;
      this.#changed();
    }
  }

  /** While pictures are selected, a plain click selects too. @param {MouseEvent} event */
  #isChoosing(event) {
    return !event.ctrlKey && !event.metaKey && this.chosen.length > 0;
  }

  /** From the last selected tile to this one. @param {HTMLElement} tile @param {boolean} on */
  #range(tile, on) {
    const tiles = this.#tiles;
    const from = this.#anchor ? tiles.indexOf(this.#anchor) : -1;
    if (from < 0) return;
    const [first, last] = [from, tiles.indexOf(tile)].sort((a, b) => a - b);
    let room = this.#most - this.chosen.length;
    for (const box of tiles.slice(first, last + 1).map(boxIn)) {
      if (on && !box.checked) room -= 1;
      if (room >= 0) box.checked = on;
    }
    getSelection()?.removeAllRanges();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (document.querySelector("dialog[open]") || isTyping(event.target)) return;
    if (event.key === "Escape") this.leave();
    else if (event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
      event.preventDefault();
      for (const tile of this.#tiles.slice(0, this.#most)) boxIn(tile).checked = true;
      this.#changed();
    }
  }

  /** @param {MouseEvent} event */
  #handleBarClick(event) {
    const button = event.target instanceof Element ? event.target.closest("[data-action]") : null;
    if (!(button instanceof HTMLElement)) return;
    const keys = this.#keys;
    const actions = {
      favourite: () => setFavourite(keys, !this.#allFavourite(this.chosen)),
      share: () => share(this.chosen[0].dataset.task ?? ""),
      delete: () => this.#delete(button, keys),
      leave: () => this.leave(),
    };
    actions[/** @type {keyof typeof actions} */ (button.dataset.action)]();
  }

  /**
   * Deleting many asks first: a second press deletes them.
   *
   * @param {HTMLElement} button
   * @param {string[]} keys
   */
  #delete(button, keys) {
    if (keys.length < MANY || this.#confirming === keys.length) {
      this.#setQuestion(button, 0);
      moveToTrash({ pictures: keys });
      return;
    }
    this.#setQuestion(button, keys.length);
    setTimeout(() => this.#setQuestion(button, 0), CONFIRM_MS);
  }

  /** @param {HTMLElement} button @param {number} n 0: no question */
  #setQuestion(button, n) {
    this.#confirming = n;
    setText(find(button, "span", HTMLElement), n ? ngettext("Delete %(n)s picture?", "Delete %(n)s pictures?", n) : gettext("Delete"));
  }

  /** @param {HTMLElement[]} tiles */
  #allFavourite(tiles) {
    return tiles.every((tile) => tile.dataset.favourite !== undefined);
  }

  #changed() {
    this.refresh();
    const n = this.chosen.length;
    this.#announce(n ? ngettext("%(n)s selected", "%(n)s selected", n) : gettext("Nothing is selected"));
  }
}

/** @param {HTMLElement} tile */
const boxIn = (tile) => /** @type {HTMLInputElement} */ (boxOf(tile));
