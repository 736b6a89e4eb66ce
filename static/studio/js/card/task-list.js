// @ts-check
/** The list of cards, in their order, and the recent pictures. Cards never move under the pointer. */

import { createCard, newCard } from "./card.js";
import { byId, closest, find, lazy, loadStyles, on } from "../lib/dom.js";
import { recentFrame } from "./picture-frames.js";
import { createFilters } from "./task-filters.js";
import { label } from "../lib/i18n.js";
import { watchPointer } from "../ui/pointer.js";
import { toast } from "../ui/messages.js";
import { pictureKey } from "../connection/protocol.js";

/** @import {Card} from "./card.js" */
/** @import {TaskStore} from "../state/task-store.js" */
/** @import {Counts, Picture} from "../connection/protocol.js" */
/** @import {QueueFold} from "./queue-fold.js" */

/** @typedef {Record<"cancel" | "retry" | "reuse", (card: Card, event: MouseEvent) => void>} CardActions */

/** Queued cards in the list; a longer queue is folded. */
const MOST_QUEUED = 3;
/** Seconds after which a running card is repainted without a new event. */
const REPAINT_AFTER = 0.2;

/**
 * @param {{taskStore: TaskStore, actions: CardActions, others?: Counts, clock: () => number}} parts
 *   `others`: tasks without a card here; `clock` in Unix seconds
 */
export function createTaskList({ taskStore, actions, others = { active: 0, completed: 0, stopped: 0 }, clock }) {
  const list = find(document, "#cards", HTMLElement);
  const section = byId("task-list");
  /** Only for a long queue; the page of one task has none. @type {QueueFold | null} */
  let fold = null;
  const recent = document.querySelector("#recent [data-part='list']");
  /** @type {Map<string, Card>} */
  const shown = new Map();
  let pointerInside = false;
  let staleSince = /** @type {number | null} */ (null);
  /** New tasks that wait until the pointer has left the list. @type {Set<string>} */
  const waiting = new Set();
  /** Cards to paint in the next animation frame. @type {Set<Card>} */
  const changed = new Set();
  const filters = createFilters(section, {
    others,
    statuses: () => [...shown.keys(), ...waiting].map((taskId) => taskStore.state(taskId).status),
    loadOlder: async (link) => (await import("./older-tasks.js")).createOlder(link, { taskList, taskStore }),
  });
  /** Whether a card was added or changed its status since the list was sorted. */
  let needsSort = true;

  function cards() {
    return [...shown.values()];
  }

  /** @param {string} taskId */
  function card(taskId) {
    return shown.get(taskId) ?? null;
  }

  /** Create cards for the elements in the HTML and for tasks without one, and show their pictures. */
  function hydrate() {
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll(".card"))) {
      const { taskId = "" } = element.dataset;
      const task = taskStore.task(taskId);
      if (task) track(createCard(element, task, taskStore.state(taskId)));
    }
    for (const taskId of taskStore.taskIds()) {
      const task = taskStore.task(taskId);
      if (!task || shown.has(taskId)) continue;
      const card = newCard(taskId, task, taskStore.state(taskId));
      list.append(card.element);
      track(card);
    }
    sort();
    for (const { taskId, task, state } of cards().sort(inOrder)) {
      for (const picture of state.images) {
        showRecent("append", taskId, picture, task.prompt);
      }
    }
  }

  /** @param {Card} card */
  function track(card) {
    shown.set(card.taskId, card);
    needsSort = true;
    card.entry = taskStore.queueEntry(card.taskId);
    card.staleSince = staleSince;
    card.paint(clock());
  }

  /**
   * @param {string} taskId
   * @param {{own: boolean, isOlder?: boolean}} origin own submissions are shown at once, wherever the pointer
   *   is; pictures of older tasks are not among the recent ones
   */
  function add(taskId, { own, isOlder = false }) {
    const task = taskStore.task(taskId);
    if (!task || shown.has(taskId)) return;
    if (!own && pointerInside) {
      waiting.add(taskId);
      count();
      return;
    }
    waiting.delete(taskId);
    const card = newCard(taskId, task, taskStore.state(taskId));
    track(card);
    const ordered = cards().sort(inOrder);
    list.insertBefore(card.element, ordered[ordered.indexOf(card) + 1]?.element ?? null);
    showQueue();
    paintSoon(card);
    for (const picture of isOlder ? [] : card.state.images) {
      showRecent("prepend", taskId, picture, task.prompt);
    }
  }

  /** In the order of the queue. */
  function queued() {
    return cards().filter(({ state }) => state.status === "queued").sort(inOrder);
  }

  const loadFold = lazy(async () => {
    const row = find(document, "#queue", HTMLElement);
    const [{ createQueueFold }] = await Promise.all([import("./queue-fold.js"), loadStyles(row)]);
    fold = createQueueFold(row, /** @type {HTMLElement} */ (section));
    fold.show(queued(), MOST_QUEUED);
  });

  function showQueue() {
    const queue = section ? queued() : [];
    if (fold) fold.show(queue, MOST_QUEUED);
    else if (queue.length > MOST_QUEUED) loadFold().catch(() => {}); // without it the list is only long
  }

  /** Open the queue, if it is folded. */
  const unfold = async () => {
    if (section?.dataset.queue) await loadFold().then(() => fold?.open(), () => {});
  };

  /**
   * @param {string} taskId
   * @param {boolean} [canWait] only progress: painted in the next frame; a step is shown however short it is
   */
  function update(taskId, canWait = false) {
    const card = shown.get(taskId);
    if (!card) return;
    const { state } = card;
    const after = (card.state = taskStore.state(taskId));
    card.entry = taskStore.queueEntry(taskId);
    if (pointerInside) card.hold();
    if (after.status !== state.status) needsSort = true;
    const picture = after.images[state.images.length];
    if (picture) showRecent("prepend", taskId, picture, card.task.prompt);
    if (!canWait) card.paint(clock());
    paintSoon(card);
  }

  /** Paint the state in the task store at once. @param {string} taskId */
  function repaint(taskId) {
    const card = shown.get(taskId);
    if (!card) return;
    card.state = taskStore.state(taskId);
    card.paint(clock());
  }

  /** @param {string} key of a picture @returns {HTMLElement[]} */
  function recentFrames(key) {
    const links = recent?.querySelectorAll(`[data-picture-key="${key}"]`) ?? [];
    return [...links].flatMap((link) => link.closest("li") ?? []);
  }

  /**
   * Add a picture to the recent ones, once.
   *
   * @param {"append" | "prepend"} how
   * @param {string} taskId
   * @param {Picture} picture
   * @param {string} prompt
   */
  function showRecent(how, taskId, picture, prompt) {
    if (!picture.withheld && recentFrames(pictureKey(taskId, picture)).length === 0) recent?.[how](recentFrame(taskId, picture, prompt));
  }

  /** Paint the cards once in the next animation frame. @param {Card[]} cards */
  function paintSoon(...cards) {
    if (cards.length > 0 && changed.size === 0) requestAnimationFrame(paint);
    for (const card of cards) changed.add(card);
  }

  function paint() {
    const cards = [...changed];
    changed.clear();
    for (const card of cards) card.paint(clock());
    if (!needsSort) return;
    if (!pointerInside) sort();
    count();
  }

  /** @param {string} taskId */
  function remove(taskId) {
    const card = shown.get(taskId);
    waiting.delete(taskId);
    if (!card) return;
    card.element.remove();
    shown.delete(taskId);
    changed.delete(card);
    count();
  }

  function tick() {
    const since = clock() - REPAINT_AFTER;
    // other cards do not change with time alone
    paintSoon(...cards().filter(({ state, paintedAt }) => state.status === "running" && paintedAt < since));
  }

  /** @param {number | null} since Unix seconds; null = connected */
  function setStale(since) {
    if (since === staleSince) return;
    staleSince = since;
    for (const card of shown.values()) card.staleSince = since;
    paintSoon(...shown.values());
  }

  function onLeave() {
    pointerInside = false;
    for (const taskId of [...waiting]) add(taskId, { own: false });
    for (const card of shown.values()) card.release();
    needsSort = true;
    paintSoon(...shown.values());
  }

  function sort() {
    const focused = document.activeElement;
    const inList = [...list.querySelectorAll(":scope > .card")];
    cards().sort(inOrder).forEach(({ element }, i) => {
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
  function onClick(event) {
    const button = closest(event, "[data-action]");
    const card = shown.get(closest(event, ".card")?.dataset.taskId ?? "");
    if (!button || !card) return;
    const { action = "" } = button.dataset;
    const act = actions[/** @type {keyof CardActions} */ (action)];
    if (act) {
      act(card, event);
    } else if (action !== "download" || card.state.images.length > 1) {
      event.preventDefault(); // the link leads to a single picture
      import("./actions.js").then((actions) => actions.perform(action, card), () =>
        toast(label("error", "unavailable"), "fail"));
    }
    button.closest("details")?.removeAttribute("open");
  }

  function count() {
    needsSort = false;
    showQueue();
    filters.count();
  }

  const taskList = {
    filters, cards, card, add, unfold, update, repaint, recentFrames, showRecent, remove, tick, setStale,
  };

  hydrate();
  on(list, "click", onClick);
  watchPointer(list, { enter: () => (pointerInside = true), leave: onLeave });
  const trash = lazy(async () => new (await import("../state/trash.js")).Trash({ taskStore, taskList, hidesEmpty: section !== null }));
  for (const what of /** @type {const} */ (["favourite", "deleted", "restored"])) {
    on(document, `studio:${what}`, async (event) => {
      (await trash())[what](/** @type {CustomEvent} */ (event).detail);
    });
  }
  count();
  return taskList;
}

/** @typedef {ReturnType<typeof createTaskList>} TaskList */

/** @param {Card} card */
const rank = ({ state: { status } }) => (status === "running" ? 0 : status === "queued" ? 1 : 2);

/**
 * Running tasks, then the queue in its order, then finished ones; the newest first except in the queue.
 *
 * @param {Card} a
 * @param {Card} b
 */
const inOrder = (a, b) =>
  rank(a) - rank(b) || (rank(a) === 1 ? a.task.created - b.task.created : b.task.created - a.task.created);
