// @ts-check
/** The loaded part of the gallery: filters, further pages, and the scroll position after Back. */

import { find, setAttribute } from "../lib/dom.js";
import { fetchUnchanged } from "../card/actions.js";
import { arrangeDays, idOf, mergeTiles, tilesOf } from "./gallery-days.js";

const TYPING_MS = 350;
/** Distance from the viewport at which pages are fetched. */
const AHEAD = "900px";
/** Pages fetched at most to restore a position. */
const MOST_PAGES_BACK = 30;
const BOX = "input[name='pictures']";

/** @typedef {{tiles: number, key: string, offset: number, chosen: string[]}} Position number of tiles, the tile on top (empty: the first), and the selection */

export class GalleryPages {
  #gallery;
  #form;
  #failed;
  #changed;
  /** The query that is shown. */
  #shown = location.search;
  /** Number of the last request; older responses are ignored. */
  #request = 0;
  /** @type {Promise<boolean> | null} */
  #loading = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;
  #observer;

  /**
   * @param {HTMLElement} gallery
   * @param {() => void} changed the tiles have changed
   */
  constructor(gallery, changed) {
    this.#gallery = gallery;
    this.#changed = changed;
    this.#form = find(document, "#gallery-filters", HTMLFormElement);
    this.#failed = find(document, "#more-failed", HTMLElement);
    this.#observer = new IntersectionObserver((seen) => {
      if (seen.some((each) => each.isIntersecting)) this.more();
    }, { rootMargin: AHEAD });
    this.#listen();
    this.#tilesLoaded();
    history.scrollRestoration = "manual";
    this.#restorePosition();
  }

  #listen() {
    const form = this.#form;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#filter(true);
    });
    form.addEventListener("change", () => this.#filter(true));
    form.addEventListener("input", ({ target }) => {
      if (!(target instanceof HTMLInputElement) || target.type !== "search") return;
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#filter(false), TYPING_MS);
    });
    document.addEventListener("click", (event) => this.#handleClick(event));
    addEventListener("popstate", () => {
      if (location.search !== this.#shown) this.#show(location.search).then(() => this.#restorePosition());
    });
    addEventListener("pagehide", () => this.savePosition());
    addEventListener("visibilitychange", () => document.hidden && this.savePosition());
  }

  /** @param {MouseEvent} event */
  #handleClick(event) {
    const target = event.target instanceof Element ? event.target : null;
    const button = target?.closest("[data-clear]");
    if (button instanceof HTMLElement) {
      event.preventDefault();
      this.#clear(button.dataset.clear ?? "");
    } else if (target?.closest("[data-more]") || target?.closest("#more-failed button")) {
      event.preventDefault();
      this.more();
    }
  }

  /** @param {string} name of one filter; empty: all of them */
  #clear(name) {
    const fields = [...this.#form.elements].filter((field) => !name || field.getAttribute("name") === name);
    for (const field of fields) {
      if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = false;
      else if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = "";
    }
    this.#filter(true);
    const first = fields[0];
    if (first instanceof HTMLElement) first.focus();
  }

  /** @param {boolean} now push a history entry; while the user types, the entry is replaced */
  #filter(now) {
    clearTimeout(this.#typing);
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(this.#form)) {
      if (String(value).trim()) query.set(name, String(value).trim());
    }
    const search = query.size ? `?${query}` : "";
    if (search === this.#shown) return;
    const typed = new URLSearchParams(this.#shown).has("q") && !now;
    const url = location.pathname + search;
    if (typed) history.replaceState(null, "", url);
    else {
      this.savePosition();
      history.pushState(null, "", url);
    }
    this.#show(search).then(() => scrollTo({ top: 0 }));
  }

  /** Show the tiles of a query. @param {string} search */
  async #show(search) {
    const request = ++this.#request;
    this.#shown = search;
    this.#fill(new URLSearchParams(search));
    for (const next of document.querySelectorAll(".language [name='next']")) {
      setAttribute(next, "value", location.pathname + search);
    }
    setAttribute(this.#gallery, "aria-busy", "true");
    try {
      const nodes = await fetchUnchanged(() => fetchPage(search));
      if (request !== this.#request) return;
      this.#gallery.replaceChildren(...nodes);
      this.#tilesLoaded();
    } catch {
      if (request === this.#request) this.#failed.hidden = false;
    } finally {
      if (request === this.#request) this.#gallery.removeAttribute("aria-busy");
    }
  }

  /** @param {URLSearchParams} query */
  #fill(query) {
    for (const field of this.#form.elements) {
      const value = query.get(field.getAttribute("name") ?? "") ?? "";
      if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = value === field.value;
      else if (field instanceof HTMLSelectElement) field.value = value;
      else if (field instanceof HTMLInputElement && field.value.trim() !== value) field.value = value;
    }
  }

  /** Load the next page; concurrent calls load it once. @returns {Promise<boolean>} whether it was loaded */
  more() {
    this.#loading ??= this.#loadMore().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async #loadMore() {
    const link = this.#gallery.querySelector("[data-more]");
    if (!(link instanceof HTMLAnchorElement)) {
      if (!this.#failed.hidden) await this.#show(this.#shown);
      return false;
    }
    this.#failed.hidden = true;
    const request = this.#request;
    try {
      const nodes = await fetchUnchanged(() => fetchPage(new URL(link.href).search));
      if (request !== this.#request) return false;
      link.parentElement?.remove();
      this.#gallery.append(...nodes);
      this.#tilesLoaded();
      return true;
    } catch {
      this.#observer.disconnect();
      this.#failed.hidden = false;
      return false;
    }
  }

  /** Update the first page; does nothing while another request is pending or if this one fails. */
  async refresh() {
    const request = this.#request;
    const nodes = await fetchUnchanged(() => fetchPage(this.#shown)).catch(() => null);
    if (!nodes || request !== this.#request || this.#loading) return;
    if (mergeTiles(this.#gallery, nodes)) {
      arrangeDays(this.#gallery);
      this.#changed();
    }
  }

  /** Replace the tiles of pictures, wherever they stand. @param {string[]} keys */
  async replace(keys) {
    const query = new URLSearchParams(keys.map((key) => ["picture", key]));
    const nodes = await fetchUnchanged(() => fetchPage(`?${query}`)).catch(() => []);
    const fresh = nodes.flatMap((node) => (node instanceof Element ? tilesOf(node) : []));
    for (const tile of tilesOf(this.#gallery)) {
      const same = fresh.find((each) => idOf(each) === idOf(tile));
      if (same) tile.replaceWith(same);
    }
    this.#changed();
  }

  /** Call after tiles were loaded. */
  #tilesLoaded() {
    this.#failed.hidden = true;
    arrangeDays(this.#gallery);
    this.#observer.disconnect();
    const link = this.#gallery.querySelector("[data-more]");
    if (link) this.#observer.observe(link);
    this.#changed();
  }

  savePosition() {
    const bar = find(document, ".bar", HTMLElement).offsetHeight;
    const tiles = tilesOf(this.#gallery);
    const top = tiles.find((tile) => tile.getBoundingClientRect().bottom > bar);
    if (!top) return;
    /** @type {Position} */
    const position = {
      tiles: tiles.length,
      key: scrollY > 0 ? idOf(top) : "",
      offset: top.getBoundingClientRect().top,
      chosen: [...this.#gallery.querySelectorAll(BOX)].filter(isChecked).map(({ value }) => value),
    };
    history.replaceState({ ...history.state, position }, "");
  }

  async #restorePosition() {
    /** @type {Position | undefined} */
    const position = history.state?.position;
    if (!position) return;
    for (let page = 0; page < MOST_PAGES_BACK && tilesOf(this.#gallery).length < position.tiles; page += 1) {
      if (!(await this.more())) break;
    }
    for (const box of this.#gallery.querySelectorAll(BOX)) {
      if (box instanceof HTMLInputElement && position.chosen.includes(box.value)) box.checked = true;
    }
    this.#changed();
    const tile = tilesOf(this.#gallery).find((each) => idOf(each) === position.key);
    if (tile) scrollBy({ top: tile.getBoundingClientRect().top - position.offset, behavior: "instant" });
  }
}

/** @param {Element} box @returns {box is HTMLInputElement} */
const isChecked = (box) => box instanceof HTMLInputElement && box.checked;

/**
 * Rejects if the request fails or is redirected, because the user has signed out.
 *
 * @param {string} search
 * @returns {Promise<Node[]>}
 */
async function fetchPage(search) {
  const query = new URLSearchParams(search);
  query.set("fragment", "1");
  const response = await fetch(`${location.pathname}?${query}`);
  if (!response.ok || response.redirected) throw new Error(`status ${response.status}`);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return [...page.body.children].map((node) => document.adoptNode(node));
}
