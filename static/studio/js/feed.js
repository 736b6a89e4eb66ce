// @ts-check
/** The list of cards: order, filters, counts, recent pictures. A card never moves under the pointer. */

import { Card } from "./card.js";
import { clone, find, setText } from "./dom.js";
import { recentFrame } from "./frames.js";
import { gettext } from "./i18n.js";
import { isTerminal } from "./protocol.js";

/** @import {Ledger} from "./ledger.js" */
/** @import {KeyedMessage} from "./outbox.js" */

/** @typedef {{cancel: (taskId: string) => void, retry: (taskId: string) => void, reuse: (taskId: string) => void}} CardActions */

const AFTER_TOUCH_MS = 500;
/** A mouse that has lain still for so long aims at nothing. */
const AT_REST_MS = 2_000;

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
    this.#watchPointer();
    this.#filters?.addEventListener("click", (event) => this.#filter(event));
    document.querySelector("[data-filter-reset]")?.addEventListener("click", () => this.#show("all"));
    this.#count();
  }

  cards() {
    return [...this.#cards.values()];
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
    card.show(state, this.#ledger.place(taskId), this.#clock());
    if (state.images.length > before.images.length) this.#addRecent(card);
    if (before.status !== state.status) {
      this.#count();
      if (!this.#pointerInside) this.#sort();
    }
  }

  /** @param {string} taskId */
  remove(taskId) {
    this.#cards.get(taskId)?.element.remove();
    this.#cards.delete(taskId);
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

  /** A mouse is inside while it moves there, a finger from touching until its click has been dealt. */
  #watchPointer() {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let leaving;
    /** @param {number | null} after milliseconds; null = it stays */
    const enter = (after) => {
      clearTimeout(leaving);
      this.#pointerInside = true;
      if (after !== null) leaving = setTimeout(() => this.#leave(), after);
    };
    for (const moves of /** @type {const} */ (["pointerenter", "pointermove", "pointerdown"])) {
      this.#list.addEventListener(moves, (event) => {
        if (event.pointerType === "mouse") enter(AT_REST_MS);
        else if (moves === "pointerdown") enter(null);
      });
    }
    for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
      this.#list.addEventListener(end, (event) => {
        if (event.pointerType !== "mouse") enter(AFTER_TOUCH_MS);
      });
    }
    this.#list.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "mouse") return;
      clearTimeout(leaving);
      this.#leave();
    });
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
    const card = button?.closest(".card");
    if (!(button instanceof HTMLElement) || !(card instanceof HTMLElement)) return;
    const act = this.#actions[/** @type {keyof CardActions} */ (button.dataset.action)];
    act?.(card.dataset.taskId ?? "");
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
    if (none) none.hidden = shown > 0 || counts.all === 0;
  }

  /** @param {Card} card */
  #addRecent(card) {
    const picture = card.state.images.at(-1);
    if (!this.#recent || !picture) return;
    const { href } = find(card.element, "[data-part='link']", HTMLAnchorElement);
    this.#recent.prepend(recentFrame(picture, href, card.task.prompt));
  }
}

/**
 * @param {Card} a
 * @param {Card} b
 */
function precedes(a, b) {
  const [over, otherOver] = [isTerminal(a.state.status), isTerminal(b.state.status)];
  return over === otherOver ? a.task.created > b.task.created : !over;
}
