// @ts-check
/** The list of cards: order, filters, counts, recent pictures. A card never moves under the pointer. */

import { Card } from "./card.js";
import { Face, clone, closest, find, lazy } from "./dom.js";
import { pictureKey, recentFrame } from "./frames.js";
import { filterInAddress, stepTo, tellLanguages } from "./feed-address.js";
import { FeedCounts } from "./feed-counts.js";
import { Further } from "./further.js";
import { gettext } from "./i18n.js";
import { errorSentence } from "./labels.js";
import { watchPointer } from "./pointer.js";
import { isTerminal } from "./protocol.js";
import { QueueFold } from "./queue-fold.js";
import { toast } from "./toasts.js";

/** @import {Ledger} from "./ledger.js" */
/** @import {Counts, Task} from "./protocol.js" */
/** @import {KeyedMessage} from "./outbox.js" */

/** @typedef {Record<"cancel" | "retry" | "reuse", (card: Card, event: MouseEvent) => void>} CardActions */

/** Seconds after which a card that runs is painted for the clock alone. */
const REPAINT_AFTER = 0.2;

export class Feed {
  #ledger;
  #actions;
  #clock;
  #list = find(document, "#cards", HTMLElement);
  #section = document.getElementById("feed");
  /** The page of one task has none. */
  #fold = this.#section && new QueueFold(this.#section);
  #pending = document.getElementById("pending");
  #recent = document.querySelector("#recent [data-part='list']");
  /** @type {Map<string, Card>} */
  #cards = new Map();
  #pointerInside = false;
  #staleSince = /** @type {number | null} */ (null);
  /** New tasks that wait until the pointer has left the list. @type {Set<string>} */
  #waiting = new Set();
  /** Cards that are painted with the next frame. @type {Set<Card>} */
  #changed = new Set();
  #counts;
  #further = /** @type {Further | null} */ (null);
  /** Leads to older tasks. */
  #link = document.getElementById("further");
  /** Whether a card came, went or changed its place since the list was arranged. */
  #isMoved = true;

  /**
   * @param {{ledger: Ledger, actions: CardActions, others?: Counts, clock: () => number}} parts
   *   `others`: tasks without a card here; `clock` in Unix seconds
   */
  constructor({ ledger, actions, others = { active: 0, completed: 0, stopped: 0 }, clock }) {
    this.#ledger = ledger;
    this.#counts = new FeedCounts(others);
    this.#actions = actions;
    this.#clock = clock;
    this.#adopt();
    this.#list.addEventListener("click", (event) => this.#click(event));
    watchPointer(this.#list, { enter: () => (this.#pointerInside = true), leave: () => this.#leave() });
    this.#section?.addEventListener("click", (event) => {
      const filter = closest(event, "button")?.dataset.filter;
      if (filter && filter !== filterInAddress()) this.#step(filter);
    });
    if (this.#section) addEventListener("popstate", () => this.#filter(filterInAddress()));
    const hidesEmpty = this.#section !== null;
    const bin = lazy(async () => new (await import("./bin.js")).Bin({ ledger, feed: this, hidesEmpty }));
    for (const what of /** @type {const} */ (["favourite", "deleted", "restored"])) {
      document.addEventListener(`studio:${what}`, async (event) => {
        (await bin())[what](/** @type {CustomEvent} */ (event).detail);
      });
    }
    this.#count();
    if (this.#link) this.#further = new Further(this.#link, { feed: this, ledger });
  }

  /** What is shown: "all", or one of the filters. */
  get filter() {
    return this.#section?.dataset.filter ?? "all";
  }

  /** @param {Counts} others the person's tasks without a card here */
  set others(others) {
    this.#counts.others = others;
    this.#count();
  }

  /** A task that was one of the others gets its card, wherever the pointer is. @param {string} taskId */
  fetched(taskId) {
    this.isNoOther(taskId);
    this.add(taskId, { own: true, isOlder: true });
  }

  /** The task is shown, or will be: it is not counted twice. @param {string} taskId */
  isNoOther(taskId) {
    this.#counts.move(this.#ledger.state(taskId).status, -1);
  }

  /** All that this filter shows has its card. @param {string} filter */
  isComplete(filter) {
    this.#counts.complete(filter);
    this.#count();
  }

  /** Whether the list goes as far back as this task. @param {Task} task */
  reaches({ created }) {
    return !this.#counts.hasFurther(this.filter) || this.cards().some(({ task, state }) => isTerminal(state.status) && task.created <= created);
  }

  /** The card goes, the task stays. @param {string} taskId */
  putAway(taskId) {
    const card = this.#cards.get(taskId);
    if (!card) return;
    this.#counts.move(card.state.status, 1);
    this.remove(taskId);
    this.#ledger.forget(taskId);
  }

  cards() {
    return [...this.#cards.values()];
  }

  /** @param {string} taskId */
  card(taskId) {
    return this.#cards.get(taskId) ?? null;
  }

  /** The cards and pictures of the first paint, and those for which it had no room. */
  #adopt() {
    const ledger = this.#ledger;
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (this.#list.querySelectorAll(".card"))) {
      const { taskId = "" } = element.dataset;
      const task = ledger.task(taskId);
      if (task) this.#take(new Card(element, task, ledger.state(taskId)));
    }
    for (const taskId of ledger.known()) {
      const task = ledger.task(taskId);
      if (!task || this.#cards.has(taskId)) continue;
      const card = Card.create(taskId, task, ledger.state(taskId));
      this.#list.append(card.element);
      this.#take(card);
    }
    this.#sort();
    for (const { taskId, task, state } of this.cards().sort(inOrder)) {
      for (const picture of state.images) {
        if (this.recentFrames(pictureKey(taskId, picture)).length > 0) continue;
        this.#recent?.append(recentFrame(taskId, picture, task.prompt));
      }
    }
  }

  /** @param {Card} card */
  #take(card) {
    this.#cards.set(card.taskId, card);
    this.#isMoved = true;
    card.place = this.#ledger.place(card.taskId);
    card.staleSince = this.#staleSince;
    card.paint(this.#clock());
  }

  /**
   * @param {string} taskId
   * @param {{own: boolean, isOlder?: boolean}} origin a person's own submission is shown at once, wherever the
   *   pointer is; the pictures of an older task are not among the recent ones
   */
  add(taskId, { own, isOlder = false }) {
    const task = this.#ledger.task(taskId);
    if (!task || this.#cards.has(taskId)) return;
    if (!own && this.#pointerInside) {
      this.#waiting.add(taskId);
      this.#count();
      return;
    }
    this.#waiting.delete(taskId);
    const card = Card.create(taskId, task, this.#ledger.state(taskId));
    this.#take(card);
    const cards = this.cards().sort(inOrder);
    this.#list.insertBefore(card.element, cards[cards.indexOf(card) + 1]?.element ?? null);
    this.#fold?.show(this.#queued());
    this.#paintSoon(card);
    for (const picture of isOlder ? [] : card.state.images) {
      if (this.recentFrames(pictureKey(taskId, picture)).length === 0) this.#recent?.prepend(recentFrame(taskId, picture, task.prompt));
    }
  }

  /** In the order of the queue. */
  #queued() {
    return this.cards().filter(({ state }) => state.status === "queued").sort(inOrder);
  }

  /** Bring the card into view. @param {string} taskId */
  reveal(taskId) {
    const card = this.#cards.get(taskId);
    if (card?.state.status === "queued") this.#fold?.open();
    if (card && !card.element.checkVisibility()) this.#step("all");
    card?.element.scrollIntoView({ block: "center" });
  }

  /** Whether a part of the card, or of what it is folded into, can be seen. @param {string} taskId */
  isInView(taskId) {
    const element = this.#cards.get(taskId)?.element;
    const seen = (element?.offsetParent ? element : this.#fold?.element) ?? this.#list;
    const box = seen.getBoundingClientRect();
    return box.bottom > 0 && box.top < innerHeight;
  }

  /**
   * @param {string} taskId
   * @param {boolean} [isFurther] only a little: that can wait for the next frame; a step is shown however short it is
   */
  update(taskId, isFurther = false) {
    const card = this.#cards.get(taskId);
    if (!card) return;
    const { state } = card;
    const after = (card.state = this.#ledger.state(taskId));
    card.place = this.#ledger.place(taskId);
    if (this.#pointerInside) card.hold();
    if (after.status !== state.status) this.#isMoved = true;
    const picture = after.images[state.images.length];
    if (picture) this.#recent?.prepend(recentFrame(taskId, picture, card.task.prompt));
    if (!isFurther) card.paint(this.#clock());
    this.#paintSoon(card);
  }

  /** What the ledger says now, at once. @param {string} taskId */
  repaint(taskId) {
    const card = this.#cards.get(taskId);
    if (!card) return;
    card.state = this.#ledger.state(taskId);
    card.paint(this.#clock());
  }

  /** @param {string} key of a picture @returns {HTMLElement[]} */
  recentFrames(key) {
    const links = this.#recent?.querySelectorAll(`[data-picture-key="${key}"]`) ?? [];
    return [...links].flatMap((link) => link.closest("li") ?? []);
  }

  /** Everything that changes before the next frame is painted in it, once. @param {Card[]} cards */
  #paintSoon(...cards) {
    if (cards.length > 0 && this.#changed.size === 0) requestAnimationFrame(() => this.#paint());
    for (const card of cards) this.#changed.add(card);
  }

  #paint() {
    const cards = [...this.#changed];
    this.#changed.clear();
    for (const card of cards) card.paint(this.#clock());
    if (!this.#isMoved) return;
    if (!this.#pointerInside) this.#sort();
    this.#count();
  }

  /** @param {string} taskId */
  remove(taskId) {
    const card = this.#cards.get(taskId);
    this.#waiting.delete(taskId);
    if (!card) return;
    card.element.remove();
    this.#cards.delete(taskId);
    this.#changed.delete(card);
    this.#count();
  }

  tick() {
    const since = this.#clock() - REPAINT_AFTER;
    // nothing else changes with time alone
    this.#paintSoon(...this.cards().filter(({ state, paintedAt }) => state.status === "running" && paintedAt < since));
  }

  /** @param {number | null} since Unix seconds; null = connected */
  setStale(since) {
    if (since === this.#staleSince) return;
    this.#staleSince = since;
    for (const card of this.#cards.values()) card.staleSince = since;
    this.#paintSoon(...this.#cards.values());
  }

  /**
   * What was asked and is not stored yet.
   *
   * @param {KeyedMessage[]} messages to generate
   * @param {boolean} connected
   */
  showPending(messages, connected) {
    this.#pending?.replaceChildren(...messages.map((message) => {
      const item = clone("pending-template");
      const face = new Face(item);
      item.dataset.requestKey = message.request_key;
      face.tell({
        prompt: String(message.prompt),
        text: connected ? gettext("Sending…") : gettext("Not sent yet; goes out when the connection is back"),
      });
      face.reveal({ discard: !connected });
      return item;
    }));
  }

  #leave() {
    this.#pointerInside = false;
    for (const taskId of [...this.#waiting]) this.add(taskId, { own: false });
    for (const card of this.#cards.values()) card.release();
    this.#isMoved = true;
    this.#paintSoon(...this.#cards.values());
  }

  #sort() {
    const focused = document.activeElement;
    const list = this.#list;
    const inList = [...list.querySelectorAll(":scope > .card")];
    this.cards().sort(inOrder).forEach(({ element }, i) => {
      if (inList[i] === element) return;
      list.insertBefore(element, inList[i] ?? null);
      inList.splice(inList.indexOf(element), 1);
      inList.splice(i, 0, element);
    });
    if (focused instanceof HTMLElement && focused !== document.activeElement && list.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const button = closest(event, "[data-action]");
    const card = this.#cards.get(closest(event, ".card")?.dataset.taskId ?? "");
    if (!button || !card) return;
    const { action = "" } = button.dataset;
    const act = this.#actions[/** @type {keyof CardActions} */ (action)];
    if (act) {
      act(card, event);
    } else if (action !== "download" || card.state.images.length > 1) {
      event.preventDefault(); // a single picture is what the link leads to
      import("./card-deeds.js").then((deeds) => deeds.perform(action, card), () =>
        toast(errorSentence("unavailable"), "fail"));
    }
    button.closest("details")?.removeAttribute("open");
  }

  /** @param {string} filter */
  #step(filter) {
    stepTo(filter);
    this.#filter(filter);
  }

  /** @param {string} filter */
  #filter(filter) {
    tellLanguages();
    this.#section?.setAttribute("data-filter", filter);
    this.#further?.filter(filter);
    this.#counts.press(filter);
    this.#count();
  }

  #count() {
    this.#isMoved = false;
    this.#fold?.show(this.#queued());
    const known = [...this.#cards.keys(), ...this.#waiting];
    const counts = this.#counts.show(known.map((taskId) => this.#ledger.state(taskId).status));
    if (this.#link) this.#link.hidden = !this.#counts.hasFurther(this.filter);
    if (!this.#section) return;
    this.#showEmpty(counts.all === 0);
    const none = document.getElementById("none");
    if (none) none.hidden = counts.all === 0 || counts[this.filter] > 0;
  }

  /** Most pages never need it, and fetch it first. @param {boolean} isEmpty */
  #showEmpty(isEmpty) {
    const feed = this.#section;
    if (!isEmpty || !feed || document.getElementById("empty")) feed?.toggleAttribute("data-empty", isEmpty);
    else import("./first-run.js").then(({ fetchFirstRun }) => fetchFirstRun(feed)).then(() => this.#count(), () => {}); // else the list is just bare
  }
}

/** @param {Card} card */
const rank = ({ state: { status } }) => (status === "running" ? 0 : status === "queued" ? 1 : 2);

/**
 * What runs, then the queue in its order, then what is over; the newest first but for the queue.
 *
 * @param {Card} a
 * @param {Card} b
 */
const inOrder = (a, b) =>
  rank(a) - rank(b) || (rank(a) === 1 ? a.task.created - b.task.created : b.task.created - a.task.created);
