// @ts-check
/** The viewer: a dialog with one picture, its details, and links to the other pictures. */

import { clone, find, part, setAttribute, setText, siteUrl } from "../lib/dom.js";
import { gettext } from "../lib/i18n.js";
import { fetchUnchanged } from "../card/actions.js";
import { withheldTile } from "../card/withheld.js";
import { PictureList, keyInUrl, picturesOfPage } from "./viewer-list.js";
import { Panel } from "./viewer-panel.js";
import { Shortcuts } from "./viewer-keys.js";
import { Stage } from "./viewer-stage.js";

/** @import {Item} from "./viewer-list.js" */
/** @import {About} from "./viewer-panel.js" */

const WIDE = "(min-width: 1000px)";
const STEP = 1.4;
const PAN_PX = 80;
/** Time on a picture before its details are fetched. */
const SETTLED_MS = 50;

export class Viewer {
  #dialog = /** @type {HTMLDialogElement} */ (clone("viewer-template"));
  #window = part(this.#dialog, "window");
  #alerts = find(document, "#alerts", HTMLElement);
  #stage;
  #panel;
  #list = new PictureList([], "");
  /** @type {HTMLElement | null} */
  #opener = null;

  constructor() {
    document.body.append(this.#dialog);
    this.#stage = new Stage(part(this.#dialog, "stage"), {
      onZoom: (words) => setText(part(this.#dialog, "zoomed"), words),
      onSwipe: (direction) => this.#swiped(direction),
    });
    this.#panel = new Panel(part(this.#dialog, "panel"), part(this.#dialog, "heart"));
    this.#showPanel(matchMedia(WIDE).matches);
    this.#listen();
    new Shortcuts(part(this.#dialog, "shortcuts"), () => this.#isOnTop(), {
      previous: () => this.#move(-1),
      next: () => this.#move(1),
      first: () => this.#move(-Infinity),
      last: () => this.#move(Infinity),
      pan: (x, y) => this.#stage.pan({ x: x * PAN_PX, y: y * PAN_PX }),
      larger: () => this.#stage.zoom(STEP),
      smaller: () => this.#stage.zoom(1 / STEP),
      fit: () => this.#stage.fit(),
      toggle: () => this.#stage.toggle(),
      favourite: () => this.#panel.toggleFavourite(),
      download: () => this.#panel.download(),
      delete: () => void this.#panel.delete(),
      undo: () => this.#undo(),
      panel: () => this.#showPanel(part(this.#dialog, "panel").hidden),
    });
  }

  /**
   * @param {string} key
   * @param {HTMLElement | null} opener null: opened from the URL
   */
  open(key, opener) {
    if (this.#dialog.open) {
      this.#list.show(key);
      this.#show();
      return;
    }
    this.#opener = opener;
    this.#list = new PictureList(picturesOfPage(), key);
    this.#window.append(this.#alerts); // outside of a modal dialog nothing can be clicked
    this.#dialog.showModal();
    if (opener) history.pushState({ ...history.state, viewing: true }, "", `#picture=${key}`);
    this.#show();
  }

  /** Show the picture in the URL. */
  showFromUrl() {
    const key = keyInUrl();
    if (key) this.open(key, null);
    else this.close();
  }

  /** Restore everything on close, however the viewer was closed. */
  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  #listen() {
    const dialog = this.#dialog;
    dialog.addEventListener("close", () => this.#closed());
    for (const [name, run] of /** @type {[string, () => void][]} */ ([
      ["close", () => this.close()],
      ["previous", () => this.#move(-1)],
      ["next", () => this.#move(1)],
      ["zoom", () => this.#stage.toggle()],
      ["full", () => this.#toggleFull()],
      ["about", () => this.#showPanel(part(dialog, "panel").hidden)],
      ["panel-close", () => this.#showPanel(false)],
    ])) {
      part(dialog, name).addEventListener("click", run);
    }
    part(dialog, "full").hidden = !document.fullscreenEnabled;
    dialog.addEventListener("click", (event) => this.#clickedPicture(event));
    part(dialog, "again-about").addEventListener("click", () => this.#show());
    document.addEventListener("studio:deleted", (event) => this.#changed(event, "remove"));
    document.addEventListener("studio:restored", (event) => this.#changed(event, "restore"));
    document.addEventListener("studio:reviewed", (event) => {
      const { keys } = /** @type {CustomEvent<{keys: string[]}>} */ (event).detail;
      if (dialog.open && keys.includes(this.#list.current?.key ?? "")) this.#show();
    });
  }

  #closed() {
    if (this.#dialog.open) return; // the event comes later than the closing: Forward was faster
    if (document.fullscreenElement) void document.exitFullscreen();
    document.body.append(this.#alerts);
    this.#stage.clear();
    const link = [this.#opener, linkTo(this.#list.current)].find((each) => each?.isConnected && each.checkVisibility());
    (link ?? find(document, "main", HTMLElement)).focus({ preventScroll: true });
    if (!keyInUrl()) return;
    if (history.state?.viewing) history.back();
    else history.replaceState(history.state, "", location.pathname + location.search);
  }

  #show() {
    const item = this.#list.current;
    if (!item) {
      this.close();
      return;
    }
    if (item.alt) setAttribute(this.#dialog, "aria-label", item.alt);
    if (keyInUrl() !== item.key) history.replaceState(history.state, "", `#picture=${item.key}`);
    this.#stage.show(item);
    this.#panel.reset(item.key);
    const at = { i: this.#list.number, n: this.#list.size };
    setText(part(this.#dialog, "counter"), `${at.i} / ${at.n}`);
    setText(part(this.#dialog, "said"), gettext("Picture %(i)s of %(n)s", at));
    this.#paintButtons(at.i === 1, at.i === at.n);
    this.#paintStrip();
    void this.#fetchAbout(item);
  }

  /**
   * A button that is disabled passes the focus to the other one.
   *
   * @param {boolean} first
   * @param {boolean} last
   */
  #paintButtons(first, last) {
    const [previous, next] = ["previous", "next"].map((name) =>
      find(this.#dialog, `[data-part=${name}]`, HTMLButtonElement));
    const focused = document.activeElement;
    previous.disabled = first;
    next.disabled = last;
    if (focused === next && last) previous.focus();
    if (focused === previous && first) next.focus();
  }

  /** Fetch the details of a picture, and the URLs of one that is not on the page. @param {Item} item */
  async #fetchAbout(item) {
    const [task, index] = item.key.split(":");
    const isShown = () => this.#dialog.open && this.#list.current === item;
    // a held arrow key shows thirty pictures a second
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    if (!isShown()) return;
    /** @type {Response | null} */
    let response = null;
    try {
      const url = siteUrl(`/pictures/${task}/${index}/about/`);
      response = await fetchUnchanged(() => fetch(url, { headers: { Accept: "application/json" } }));
      if (!response.ok || response.redirected) throw new Error(String(response.status));
      const about = /** @type {About} */ (await response.json());
      if (isShown()) this.#showAbout(item, about);
    } catch {
      if (!isShown()) return;
      this.#panel.fail();
      if (response?.status === 404) this.#stage.fail("gone");
      else if (!item.url) this.#stage.fail(navigator.onLine ? "unavailable" : "offline");
    }
  }

  /**
   * @param {Item} item
   * @param {About} about
   */
  #showAbout(item, about) {
    item.alt ||= about.prompt;
    setAttribute(this.#dialog, "aria-label", item.alt);
    item.url = about.notice ? "" : item.url || about.url;
    item.thumbnail = about.notice ? "" : item.thumbnail || about.thumbnail_url;
    item.width ||= about.width;
    item.height ||= about.height;
    this.#stage.show(item);
    this.#stage.showDemo(about.demo);
    if (about.notice) this.#stage.showNotice(withheldTile(about.task, about.index));
    this.#panel.show(about);
    preload(this.#list.neighbours);
  }

  #paintStrip() {
    const { siblings, current } = this.#list;
    const strip = part(this.#dialog, "strip");
    strip.hidden = siblings.length < 2;
    if (strip.hidden) return;
    strip.replaceChildren(...siblings.map(({ key, url, thumbnail, alt }) => {
      const item = clone("strip-template");
      const link = part(item, "link");
      link.setAttribute("href", url);
      link.dataset.relative = key;
      setAttribute(link, "aria-current", key === current?.key ? "true" : null);
      const image = find(link, "img", HTMLImageElement);
      image.src = thumbnail;
      image.alt = alt;
      return item;
    }));
    strip.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Another picture of the task, or a related one. @param {MouseEvent} event */
  #clickedPicture(event) {
    const link = event.target instanceof Element ? event.target.closest("[data-relative]") : null;
    if (!(link instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const thumbnail = find(link, "img", HTMLImageElement).src;
    this.#list.show(link.dataset.relative ?? "", { thumbnail });
    this.#show();
    part(this.#dialog, "strip").querySelector("[aria-current]")?.closest("a")?.focus();
  }

  /** @param {number} by */
  #move(by) {
    if (this.#list.move(by)) this.#show();
  }

  /** @param {"next" | "previous" | "close"} direction */
  #swiped(direction) {
    if (direction === "close") this.close();
    else this.#move(direction === "next" ? 1 : -1);
  }

  /**
   * @param {Event} event
   * @param {"remove" | "restore"} how
   */
  #changed(event, how) {
    const { keys = [], tasks = [] } = /** @type {CustomEvent<{keys?: string[], tasks?: string[]}>} */ (event).detail;
    const shown = this.#list.current;
    const back = how === "remove" ? this.#list.remove(keys, tasks) : this.#list.restore(keys, tasks);
    if (!this.#dialog.open) return;
    if (back) this.#list.show(back);
    if (this.#list.current !== shown || back) this.#show();
  }

  /** @param {boolean} open */
  #showPanel(open) {
    const panel = part(this.#dialog, "panel");
    if (!open && panel.contains(document.activeElement)) part(this.#dialog, "about").focus();
    panel.hidden = !open;
    setAttribute(part(this.#dialog, "about"), "aria-expanded", String(open));
  }

  /** A dialog itself cannot be full screen; its content can. */
  #toggleFull() {
    if (document.fullscreenElement) void document.exitFullscreen();
    else this.#window.requestFullscreen().catch(() => {});
  }

  #undo() {
    const button = [...this.#alerts.querySelectorAll("[data-part=action]:not([hidden])")].at(-1);
    if (button instanceof HTMLElement) button.click();
  }

  #isOnTop() {
    return [...document.querySelectorAll("dialog:modal")].at(-1) === this.#dialog;
  }
}

/** @param {Item | null} item */
const linkTo = (item) =>
  /** @type {HTMLElement | null} */ (item && document.querySelector(`main a[data-picture-key="${item.key}"]`));

/** Load neighbouring pictures when the browser is idle. @param {Item[]} items */
function preload(items) {
  const idle = globalThis.requestIdleCallback ?? ((/** @type {() => void} */ run) => setTimeout(run, 400));
  idle(() => {
    for (const { url } of items) if (url) new Image().src = url;
  });
}
