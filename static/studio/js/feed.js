// @ts-check
/** The list of cards: order, filters, counts, recent pictures. A card never moves under the pointer. */

import { Bin } from "./bin.js";
import { Card } from "./card.js";
import { clone, find, setAttribute, setText } from "./dom.js";
import { recentFrame } from "./frames.js";
import { gettext } from "./i18n.js";
import { errorSentence } from "./labels.js";
import { watchPointer } from "./pointer.js";
import { isTerminal } from "./protocol.js";
import { toast } from "./toasts.js";

/** @import {Ledger} from "./ledger.js" */
/** @import {KeyedMessage} from "./outbox.js" */
/** @import {TaskState} from "./protocol.js" */

/** @typedef {{cancel: (taskId: string) => void, retry: (taskId: string) => void, reuse: (taskId: string) => void}} CardActions */

export class Feed {
  #ledger;
  #actions;
  #clock;
  #list = find(document, "#cards", HTMLElement);
  #section = document.getElementById("feed");
  #filters = document.getElementById("filters");
  #pending = document.getElementById("pending");
  #recent = document.querySelector("#recent [data-part='list']");
  /** @type {Map<string, Card>} */
  #cards = new Map();
  #pointerInside = false;
  #staleSince = /** @type {number | null} */ (null);
  /** New tasks that wait until the pointer has left the list. @type {string[]} */
  #waiting = [];
  /** Cards that only went a little further; painted together with the next frame. @type {Set<Card>} */
  #further = new Set();

  /**
   * @param {{ledger: Ledger, actions: CardActions, clock: () => number}} parts `clock` in Unix seconds
   */
  constructor({ ledger, actions, clock }) {
    this.#ledger = ledger;
    this.#actions = actions;
    this.#clock = clock;
    for (const element of this.#list.querySelectorAll(".card")) {
      if (element instanceof HTMLElement) this.#adopt(element);
    }
    this.#list.addEventListener("click", (event) => this.#click(event));
    watchPointer(this.#list, { enter: () => (this.#pointerInside = true), leave: () => this.#leave() });
    this.#filters?.addEventListener("click", (event) => this.#filter(event));
    document.querySelector("[data-filter-reset]")?.addEventListener("click", () => this.#show("all"));
    new Bin({ ledger, feed: this, hidesEmpty: this.#section !== null });
    this.#count();
  }

  cards() {
    return [...this.#cards.values()];
  }

  /** @param {string} taskId */
  card(taskId) {
    return this.#cards.get(taskId) ?? null;
  }

  /** @param {HTMLElement} element a card the server rendered */
  #adopt(element) {
    const taskId = element.dataset.taskId ?? "";
    const task = this.#ledger.task(taskId);
    if (!task) return;
    const card = new Card(element, task, this.#ledger.state(taskId));
    this.#cards.set(taskId, card);
    card.show(this.#ledger.state(taskId), this.#ledger.place(taskId), this.#clock());
  }

  /**
   * @param {string} taskId
   * @param {{own: boolean}} origin a person's own submission is shown at once, wherever the pointer is
   */
  add(taskId, { own }) {
    if (this.#cards.has(taskId)) return;
    if (!own && this.#pointerInside) {
      if (!this.#waiting.includes(taskId)) this.#waiting.push(taskId);
      return;
    }
    const task = this.#ledger.task(taskId);
    if (!task) return;
    const state = this.#ledger.state(taskId);
    const url = (this.#list.dataset.taskUrl ?? "/tasks/00000000-0000-0000-0000-000000000000/").replace(
      "00000000-0000-0000-0000-000000000000", taskId,
    );
    const card = Card.create(taskId, task, state, url);
    this.#cards.set(taskId, card);
    card.show(state, this.#ledger.place(taskId), this.#clock());
    card.setStale(this.#staleSince, this.#clock());
    this.#list.insertBefore(card.element, this.#cardBefore(card));
    this.#section?.removeAttribute("data-empty");
    this.#count();
  }

  /** Active first, then newest. @param {Card} card */
  #cardBefore(card) {
    for (const element of this.#list.children) {
      const other = this.#cards.get(/** @type {HTMLElement} */ (element).dataset.taskId ?? "");
      if (other && other !== card && precedes(card, other)) return element;
    }
    return null;
  }

  /** @param {string} taskId */
  update(taskId) {
    const card = this.#cards.get(taskId);
    if (!card) return;
    const before = card.state;
    const state = this.#ledger.state(taskId);
    if (this.#pointerInside) card.hold();
    if (isJustFurther(before, state)) {
      if (this.#further.size === 0) requestAnimationFrame(() => this.#paintFurther());
      this.#further.add(card);
      return;
    }
    this.#paint(card);
    if (state.images.length > before.images.length) this.#addRecent(card);
    if (before.status !== state.status) {
      this.#count();
      if (!this.#pointerInside) this.#sort();
    }
  }

  /** What the ledger says now, at once. @param {Card} card */
  #paint(card) {
    this.#further.delete(card);
    card.show(this.#ledger.state(card.taskId), this.#ledger.place(card.taskId), this.#clock());
  }

  /** @param {string} taskId */
  repaint(taskId) {
    const card = this.#cards.get(taskId);
    if (card) this.#paint(card);
  }

  /** @param {string} key of a picture @returns {HTMLElement[]} */
  recentFrames(key) {
    const links = this.#recent?.querySelectorAll(`[data-picture-key="${key}"]`) ?? [];
    return [...links].flatMap((link) => link.closest("li") ?? []);
  }

  #paintFurther() {
    const cards = [...this.#further];
    this.#further.clear();
    for (const card of cards) this.#paint(card);
  }

  /** Whoever had the focus in it finds it in the next one. @param {string} taskId */
  remove(taskId) {
    const card = this.#cards.get(taskId);
    if (!card) return;
    const { element } = card;
    const next = element.nextElementSibling ?? element.previousElementSibling;
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    this.#cards.delete(taskId);
    this.#further.delete(card);
    const heir = next?.querySelector("[data-part='link']") ?? document.querySelector("main");
    if (hadFocus && heir instanceof HTMLElement) heir.focus({ preventScroll: true });
    if (this.#cards.size === 0) this.#section?.setAttribute("data-empty", "");
    this.#count();
  }

  tick() {
    const now = this.#clock();
    for (const card of this.#cards.values()) {
      if (card.state.status === "running") card.tick(now); // nothing else changes with time alone
    }
  }

  /** @param {number | null} since Unix seconds; null = connected */
  setStale(since) {
    if (since === this.#staleSince) return;
    this.#staleSince = since;
    for (const card of this.#cards.values()) card.setStale(since, this.#clock());
  }

  /**
   * What was asked and is not stored yet.
   *
   * @param {KeyedMessage[]} messages
   * @param {boolean} connected
   */
  showPending(messages, connected) {
    if (!this.#pending) return;
    const items = messages.filter((message) => message.action === "generate").map((message) => {
      const item = clone("pending-template");
      item.dataset.requestKey = message.request_key;
      setText(find(item, "[data-part='prompt']", HTMLElement), String(message.prompt));
      const text = connected ? gettext("Sending…") : gettext("Not sent yet; goes out when the connection is back");
      setText(find(item, "[data-part='text']", HTMLElement), text);
      find(item, "[data-action='discard']", HTMLElement).hidden = connected;
      return item;
    });
    this.#pending.replaceChildren(...items);
  }

  #leave() {
    this.#pointerInside = false;
    for (const card of this.#cards.values()) card.release(this.#clock());
    for (const taskId of this.#waiting.splice(0)) this.add(taskId, { own: false });
    this.#sort();
  }

  #sort() {
    const focused = document.activeElement;
    const ordered = [...this.#cards.values()].sort((a, b) => (precedes(a, b) ? -1 : 1));
    ordered.forEach((card, i) => {
      if (this.#list.children[i] !== card.element) this.#list.insertBefore(card.element, this.#list.children[i] ?? null);
    });
    if (focused instanceof HTMLElement && focused !== document.activeElement && this.#list.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const button = event.target instanceof Element ? event.target.closest("[data-action]") : null;
    const card = this.#cards.get(button?.closest(".card")?.getAttribute("data-task-id") ?? "");
    if (!(button instanceof HTMLElement) || !card) return;
    const { action = "" } = button.dataset;
    const act = this.#actions[/** @type {keyof CardActions} */ (action)];
    if (act) {
      act(card.taskId);
    } else if (action !== "download" || card.state.images.length > 1) {
      event.preventDefault(); // a single picture is what the link leads to
      import("./card-deeds.js").then((deeds) => deeds.perform(action, card), () =>
        toast(errorSentence("unavailable"), "fail"));
    }
    button.closest("details")?.removeAttribute("open");
  }

  /** @param {MouseEvent} event */
  #filter(event) {
    const button = event.target instanceof Element ? event.target.closest("[data-filter]") : null;
    if (button instanceof HTMLElement) this.#show(button.dataset.filter ?? "all");
  }

  /** @param {string} filter */
  #show(filter) {
    this.#section?.setAttribute("data-filter", filter);
    for (const button of this.#filters?.querySelectorAll("[data-filter]") ?? []) {
      const on = /** @type {HTMLElement} */ (button).dataset.filter === filter;
      button.setAttribute("aria-pressed", String(on));
    }
    this.#count();
  }

  #count() {
    if (!this.#filters) return;
    const states = this.cards().map((card) => card.state.status);
    /** @type {Record<string, number>} */
    const counts = {
      all: states.length,
      active: states.filter((status) => !isTerminal(status)).length,
      completed: states.filter((status) => status === "completed").length,
      stopped: states.filter((status) => status === "failed" || status === "cancelled").length,
    };
    for (const button of this.#filters.querySelectorAll("[data-filter]")) {
      const { filter = "" } = /** @type {HTMLElement} */ (button).dataset;
      setText(find(button, "[data-part='count']", HTMLElement), String(counts[filter]));
    }
    const shown = counts[this.#section?.dataset.filter ?? "all"];
    const none = document.getElementById("none");
    if (none) setAttribute(none, "hidden", shown > 0 || counts.all === 0);
  }

  /** @param {Card} card */
  #addRecent(card) {
    const picture = card.state.images.at(-1);
    if (picture) this.#recent?.prepend(recentFrame(card.taskId, picture, card.task.prompt));
  }
}

/**
 * Whether nothing but the measure is another one: that can wait for the next frame.
 *
 * @param {TaskState} before
 * @param {TaskState} after
 */
const isJustFurther = (before, after) =>
  before.status === "running" && after.status === "running" && before.step === after.step
  && before.image === after.image && before.attempt === after.attempt && before.images === after.images
  && before.interruptions === after.interruptions && before.waiting === after.waiting
  && before.cancel_requested === after.cancel_requested;

/**
 * @param {Card} a
 * @param {Card} b
 */
function precedes(a, b) {
  const [over, otherOver] = [isTerminal(a.state.status), isTerminal(b.state.status)];
  return over === otherOver ? a.task.created > b.task.created : !over;
}
