// @ts-check
/** Entry of the studio page and of the task page: wires the parts together. */

import { createBadge } from "../connection/connection-badge.js";
import { createComposer } from "../composer/composer.js";
import { at, byId, closest, find, lazy, ofThisSite, on, setText } from "../lib/dom.js";
import { createTaskList } from "../card/task-list.js";
import { forgetOthers, storage } from "../state/own-storage.js";
import { gettext, label, ngettext } from "../lib/i18n.js";
import { createTaskStore } from "../state/task-store.js";
import { listenToMenus } from "../ui/menus.js";
import { createPendingRequests } from "../state/pending-requests.js";
import { isTerminal, newRequestKey } from "../connection/protocol.js";
import { watchSending } from "../composer/sending.js";
import { createSocket } from "../connection/socket.js";
import { announce, toast } from "../ui/messages.js";
import { listenForVarying, listenForViewing } from "../viewer/picture-links.js";
import { browserTransports, clock } from "../connection/transports.js";

/** @import {Card} from "../card/card.js" */
/** @import {Bootstrap, EventFrame, Refusal} from "../connection/protocol.js" */
/** @import {Connection, Listener} from "../connection/socket.js" */
/** @import {KeyedMessage} from "../state/pending-requests.js" */
/** @import {TabStatus} from "../ui/tab-status.js" */
/** @import {About} from "../viewer/viewer-panel.js" */

/** Where alerts.js keeps what was chosen on this device. */
const ALERTS = "studio.alerts";
/** Percents that are announced. */
const MARKS = [75, 50, 25];
const TICK_MS = 250;
const STALE_AFTER_MS = 1_500;

const page = /** @type {Bootstrap} */ (JSON.parse(find(document, "#studio-state", HTMLElement).textContent ?? "{}"));
const isStudio = byId("composer") !== null;
const store = storage("sessionStorage");
forgetOthers(page.username);

/** Seconds that the server's clock is ahead of this device's. */
let clockLead = page.server_time - Date.now() / 1000;
/** @param {number} ms on this device's clock */
const serverTime = (ms) => ms / 1000 + clockLead;

const taskStore = createTaskStore(() => isStudio);
for (const { task, state } of page.tasks) {
  taskStore.learn(state.task_id, task);
  taskStore.adopt(state);
}
taskStore.arrange(page.queue ?? {});

const requests = createPendingRequests(store, ofThisSite(page.username));
const alarm = find(document, "#connection-alert", HTMLElement);
const timeline = isStudio ? null : new (await import("../card/task-timeline.js")).TaskTimeline(page.tasks[0].state.task_id, page.tasks[0].task);
/** Tasks that this page asked for: they are shown at once, and the newest is spoken about. */
const own = new Set();

const cancel = asking("cancel");
const taskList = createTaskList({
  taskStore,
  actions: { cancel, retry: asking("retry"), reuse: ({ task }) => composer?.reuse(task) },
  others: page.others,
  clock: () => serverTime(Date.now()),
});
const composer = isStudio ? createComposer(page, ask) : null;
const cancelWaiting = byId("cancel-waiting");
/** Nothing in it is needed before there is a task. @type {TabStatus | null} */
let tabStatus = null;
const loadTabStatus = lazy(async () => {
  tabStatus = (await import("../ui/tab-status.js")).createTabStatus();
  refreshMark();
});
/** Loaded when the user turns alerts on. */
const wakeAlerts = () => import("../ui/alerts.js").then(({ listen }) => listen(), () => {});
let isMarkOld = false;
const loadCollection = lazy(async () => new (await import("../state/collection.js")).Collection({
  taskStore, taskList, isStudio, revision: page.collection, mostNamed: page.limits.named,
}));

/** @type {Listener} */
const listener = {
  connectionChanged,
  taskLearned(taskId, { request_key: key, created }) {
    if (created < page.server_time) taskList.filters.move(taskStore.state(taskId).status, -1); // the page had counted it
    const isOwn = own.has(taskId) || requests.get(key ?? "") !== null;
    const isNew = taskList.card(taskId) === null;
    taskList.add(taskId, { own: isOwn });
    if (isStudio && isOwn && isNew) requestAnimationFrame(() => showWhere(taskId));
    refreshMarkSoon();
  },
  taskChanged,
  taskForgotten: (taskId) => taskList.remove(taskId),
  queueChanged(taskIds) {
    for (const taskId of taskIds) taskList.update(taskId, true);
    refreshMarkSoon();
  },
  collectionChanged: (frame) => void loadCollection().then((collection) => collection.changed(frame)).catch(() => {}), // the next one rereads
  cameBack: () => void loadCollection().then((collection) => collection.rereadSoon()).catch(() => {}),
  modelsTold: (models) => composer?.offer(models),
  accepted({ action }, { taskId, duplicate }) {
    own.add(taskId);
    if (duplicate && action === "generate") announce(gettext("Already sent; not drawn twice"));
    if (action === "retry" && !isStudio) location.assign(at(`/tasks/${taskId}/`));
    refreshSending();
  },
  refused,
  cancelAnswered(taskId, answer) {
    if (answer === "already_finished") toast(gettext("Already finished; not cancelled"), "plain");
    taskList.update(taskId);
  },
  caughtUp(events) {
    if (events > 0) announce(ngettext("Caught up: %(n)s event", "Caught up: %(n)s events", events));
  },
  serverTimeTold(told) {
    clockLead = told - Date.now() / 1000;
  },
};

const transports = browserTransports({
  socketPath: page.socket_path, taskStore, mostNamed: page.limits.named, store, since: page.server_time,
});
const socket = createSocket({
  transports,
  taskStore,
  requests,
  listener,
  env: { ...clock, random: Math.random, isOnline: () => navigator.onLine },
});
const refreshSending = watchSending({ requests, composer, connection: () => socket.connection });
const badge = createBadge({ retryNow: socket.retryNow, isBusy: () => taskStore.unfinished().length > 0, serverTime });

// --- what a person does -------------------------------------------------------------------------

/** @param {KeyedMessage} message */
function ask(message) {
  socket.ask(message);
  refreshSending();
}

/**
 * @param {string} action
 * @returns {(card: Card) => void}
 */
function asking(action) {
  return ({ taskId }) => ask({ action, task_id: taskId, request_key: newRequestKey() });
}

/** To the form with a picture's settings; from an open viewer that is another page. @param {About} about */
function changeMore({ key, task, settings, width, height, seed, thumbnail_url: thumbnail }) {
  if (!composer || document.querySelector("dialog[open]")) location.assign(at(`/?from=${key}`));
  else composer.vary(task, { ...settings, width, height }, { seed, thumbnail });
}

/** @param {string} taskId */
const showWhere = (taskId) => import("../card/show-where.js").then(({ showWhere: show }) => show(taskList, taskId), () => {});

on(document, "studio:drawn", (event) => {
  const { task } = /** @type {CustomEvent<{task: string}>} */ (event).detail;
  own.add(task);
  if (!isStudio || !taskStore.task(task)) return; // it comes, and is shown then
  taskList.add(task, { own: true });
  showWhere(task);
});

/** Those that a person may still want to take back all at once. */
const waiting = () => taskList.cards().filter(({ state }) => state.status === "queued" && !state.cancel_requested);

// --- what the server says -----------------------------------------------------------------------

/**
 * @param {string} taskId
 * @param {EventFrame} frame
 * @param {boolean} live
 */
function taskChanged(taskId, frame, live) {
  const card = taskList.card(taskId);
  const before = card?.state.progress ?? 0;
  taskList.update(taskId, frame.kind === "progressed");
  timeline?.add(frame);
  timeline?.show(taskStore.state(taskId));
  if (live && card) speak(card, before, frame);
  refreshMarkSoon();
}

/**
 * @param {Card} card
 * @param {number} before percent
 * @param {EventFrame} frame
 */
function speak(card, before, frame) {
  const { kind, status } = frame;
  const over = isTerminal(status);
  const mark = MARKS.find((each) => before < each && frame.progress >= each);
  const prompt = [...card.task.prompt].slice(0, 24).join("");
  if (over) {
    tabStatus?.ended(frame);
    document.dispatchEvent(new CustomEvent("studio:ended", { detail: { card, frame } }));
  }
  if (kind === "failed") {
    toast(`${prompt} · ${label("error", frame.code ?? "", frame.message)}`, "fail");
    return;
  }
  const words = over || kind === "interrupted" || kind === "claimed" ? label("status", status)
    : kind === "step_began" ? label("step", frame.step)
    : mark && `${mark}%`;
  if (words) announce(`${prompt} · ${words}`);
}

/**
 * @param {KeyedMessage | null} message
 * @param {Refusal} refusal
 */
function refused(message, refusal) {
  refreshSending();
  if (message?.action === "generate" && composer) composer.refused(message, refusal);
  else toast(label("error", refusal.code, refusal.message), "fail");
}

/** @param {Connection} connection */
function connectionChanged(connection) {
  badge.show(connection);
  refreshSending();
  refreshStale();
  if (connection.reason === "protocol") import("../connection/reload-on-update.js").then(({ reloadWhenIdle }) => reloadWhenIdle(composer, store));
}

/** A break that heals within a moment is not worth an interruption. */
function refreshStale() {
  const { lostAt } = socket.connection;
  const since = lostAt !== null && Date.now() - lostAt >= STALE_AFTER_MS ? serverTime(lostAt) : null;
  taskList.setStale(since);
  setText(alarm, since === null ? "" : gettext("The connection was lost."));
}

// --- page ---------------------------------------------------------------------------------------

/** Once per frame, however much happens; a page out of sight has no frames, but a title. */
function refreshMarkSoon() {
  if (document.hidden) refreshMark();
  else if (!isMarkOld) requestAnimationFrame(refreshMark);
  isMarkOld = !document.hidden;
}

/** Mark, tab title and icon follow the newest task that is still going on. */
function refreshMark() {
  isMarkOld = false;
  cancelWaiting?.toggleAttribute("hidden", waiting().length === 0);
  const cards = taskList.cards().sort((a, b) => b.task.created - a.task.created);
  if (cards[0]) loadTabStatus().catch(() => {}); // without it the page only says less
  tabStatus?.show(cards[0], cards.find(({ state }) => !isTerminal(state.status)));
}

on(document, "click", (event) => {
  const example = closest(event, "[data-example]");
  if (example) composer?.usePrompt(example.textContent?.trim() ?? "");
});
on(cancelWaiting, "click", async () => {
  const { press } = await import("../card/cancel-waiting.js");
  if (cancelWaiting) press(cancelWaiting, waiting, cancel);
});
on(window, "online", socket.noteOnline);
on(window, "offline", socket.noteOffline);
on(document, "visibilitychange", () => {
  refreshMark();
  if (!document.hidden) socket.retryNow();
});
on(window, "pageshow", ({ persisted }) => {
  if (persisted) socket.retryNow();
});
setInterval(() => {
  taskList.tick();
  badge.tick();
  refreshStale();
}, TICK_MS);

listenToMenus();
listenForViewing();
listenForVarying(changeMore);
for (const { state } of page.tasks) timeline?.show(state);
refreshMark();
transports.prepare().then(() => socket.start());
for (const menu of document.querySelectorAll("details:has([data-alerts])")) on(menu, "toggle", wakeAlerts);
on(window, "storage", ({ key }) => key === ALERTS && wakeAlerts());
if (storage("localStorage")?.getItem(ALERTS)) wakeAlerts();
if (/** @type {any} */ (globalThis).studioInputCapture?.()) find(document, "#composer", HTMLFormElement).requestSubmit();
