// @ts-check
/** What of the gallery is on the page: filters, "more", and the way back to where one was. */

import { find, setAttribute } from "../lib/dom.js";
import { arrangeDays, idOf, mergeTiles, tilesOf } from "./gallery-days.js";

const TYPING_MS = 350;
/** Pages are fetched this far before they are seen. */
const AHEAD = "900px";
/** Back in a gallery, at most so many pages are fetched again to come to the old place. */
const MOST_PAGES_BACK = 30;
const BOX = "input[name='pictures']";

/** @typedef {{tiles: number, key: string, offset: number, chosen: string[]}} Place how far it was loaded, the tile that was on top (empty: the first), and what was chosen */

export class GalleryPages {
  #wall;
  #form;
  #failed;
  #changed;
  /** What is shown, as a query. */
  #shown = location.search;
  /** Answers to an older question are dropped. */
  #question = 0;
  /** @type {Promise<boolean> | null} */
  #loading = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;
  #sight;

  /**
   * @param {HTMLElement} wall
   * @param {() => void} changed other tiles are there now
   */
  constructor(wall, changed) {
    this.#wall = wall;
    this.#changed = changed;
    this.#form = find(document, "#finder", HTMLFormElement);
    this.#failed = find(document, "#more-failed", HTMLElement);
    this.#sight = new IntersectionObserver((seen) => {
      if (seen.some((each) => each.isIntersecting)) this.more();
    }, { rootMargin: AHEAD });
    this.#listen();
    this.#settle();
    history.scrollRestoration = "manual";
    this.#return();
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
    document.addEventListener("click", (event) => this.#press(event));
    addEventListener("popstate", () => {
      if (location.search !== this.#shown) this.#show(location.search).then(() => this.#return());
    });
    addEventListener("pagehide", () => this.keepPlace());
    addEventListener("visibilitychange", () => document.hidden && this.keepPlace());
  }

  /** @param {MouseEvent} event */
  #press(event) {
    const target = event.target instanceof Element ? event.target : null;
    const cross = target?.closest("[data-clear]");
    if (cross instanceof HTMLElement) {
      event.preventDefault();
      this.#clear(cross.dataset.clear ?? "");
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

  /** @param {boolean} now a choice is a step in the history; while one types, the step is rewritten */
  #filter(now) {
    clearTimeout(this.#typing);
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(this.#form)) {
      if (String(value).trim()) query.set(name, String(value).trim());
    }
    const search = query.size ? `?${query}` : "";
    if (search === this.#shown) return;
    const typed = new URLSearchParams(this.#shown).has("q") && !now;
    const address = location.pathname + search;
    if (typed) history.replaceState(null, "", address);
    else {
      this.keepPlace();
      history.pushState(null, "", address);
    }
    this.#show(search).then(() => scrollTo({ top: 0 }));
  }

  /** Everything that is shown is what `search` asks for. @param {string} search */
  async #show(search) {
    const question = ++this.#question;
    this.#shown = search;
    this.#fill(new URLSearchParams(search));
    for (const next of document.querySelectorAll(".language [name='next']")) {
      setAttribute(next, "value", location.pathname + search);
    }
    setAttribute(this.#wall, "aria-busy", "true");
    try {
      const nodes = await fetchPage(search);
      if (question !== this.#question) return;
      this.#wall.replaceChildren(...nodes);
      this.#settle();
    } catch {
      if (question === this.#question) this.#failed.hidden = false;
    } finally {
      if (question === this.#question) this.#wall.removeAttribute("aria-busy");
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

  /** The next page; asked twice at once, it comes once. @returns {Promise<boolean>} whether it is there */
  more() {
    this.#loading ??= this.#loadMore().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async #loadMore() {
    const link = this.#wall.querySelector("[data-more]");
    if (!(link instanceof HTMLAnchorElement)) {
      if (!this.#failed.hidden) await this.#show(this.#shown);
      return false;
    }
    this.#failed.hidden = true;
    const question = this.#question;
    try {
      const nodes = await fetchPage(new URL(link.href).search);
      if (question !== this.#question) return false;
      link.parentElement?.remove();
      this.#wall.append(...nodes);
      this.#settle();
      return true;
    } catch {
      this.#sight.disconnect();
      this.#failed.hidden = false;
      return false;
    }
  }

  /** What has happened since; where nothing was shown yet, or nothing answers, nothing is done. */
  async refresh() {
    const question = this.#question;
    const nodes = await fetchPage(this.#shown).catch(() => null);
    if (!nodes || question !== this.#question || this.#loading) return;
    if (mergeTiles(this.#wall, nodes)) {
      arrangeDays(this.#wall);
      this.#changed();
    }
  }

  /** After other tiles have come. */
  #settle() {
    this.#failed.hidden = true;
    arrangeDays(this.#wall);
    this.#sight.disconnect();
    const link = this.#wall.querySelector("[data-more]");
    if (link) this.#sight.observe(link);
    this.#changed();
  }

  keepPlace() {
    const bar = find(document, ".bar", HTMLElement).offsetHeight;
    const tiles = tilesOf(this.#wall);
    const top = tiles.find((tile) => tile.getBoundingClientRect().bottom > bar);
    if (!top) return;
    /** @type {Place} */
    const place = {
      tiles: tiles.length,
      key: scrollY > 0 ? idOf(top) : "",
      offset: top.getBoundingClientRect().top,
      chosen: [...this.#wall.querySelectorAll(BOX)].filter(isChecked).map(({ value }) => value),
    };
    history.replaceState({ ...history.state, place }, "");
  }

  async #return() {
    /** @type {Place | undefined} */
    const place = history.state?.place;
    if (!place) return;
    for (let page = 0; page < MOST_PAGES_BACK && tilesOf(this.#wall).length < place.tiles; page += 1) {
      if (!(await this.more())) break;
    }
    for (const box of this.#wall.querySelectorAll(BOX)) {
      if (box instanceof HTMLInputElement && place.chosen.includes(box.value)) box.checked = true;
    }
    this.#changed();
    const tile = tilesOf(this.#wall).find((each) => idOf(each) === place.key);
    if (tile) scrollBy({ top: tile.getBoundingClientRect().top - place.offset, behavior: "instant" });
  }
}

/** @param {Element} box @returns {box is HTMLInputElement} */
const isChecked = (box) => box instanceof HTMLInputElement && box.checked;

/**
 * Rejects if the page did not come; an answer that is not the gallery (signed out) is none.
 *
 * @param {string} search
 * @returns {Promise<Node[]>}
 */
async function fetchPage(search) {
  const query = new URLSearchParams(search);
  query.set("fragment", "1");
  const answer = await fetch(`${location.pathname}?${query}`);
  if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return [...page.body.children].map((node) => document.adoptNode(node));
}
