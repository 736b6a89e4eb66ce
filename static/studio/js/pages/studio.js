// @ts-check
/** Entry of the studio page and of the task page: wires the parts together. */

import { createBadge } from "../connection/connection-badge.js";
import { createComposer } from "../composer/composer.js";
import { byId, closest, find, lazy, on, setText, siteKey, siteUrl } from "../lib/dom.js";
import { createTaskList } from "../card/task-list.js";
import { forgetOthers, storage } from "../state/own-storage.js";
import { gettext, label, ngettext } from "../lib/i18n.js";
import { createTaskStore, readTask } from "../state/task-store.js";
import { listenToMenus } from "../ui/menus.js";
import { createPendingRequests } from "../state/pending-requests.js";
import { isTerminal, newRequestKey } from "../connection/protocol.js";
import { watchSending } from "../composer/sending.js";
import { createSocket } from "../connection/reconnecting.js";
import { announce, toast } from "../ui/messages.js";
import { listenForVarying, listenForViewing } from "../viewer/picture-links.js";
import { browserTransports, clock } from "../connection/transport-choice.js";

/** @import {Card} from "../card/card.js" */
/** @import {Bootstrap, EventFrame, Refusal} from "../connection/protocol.js" */
/** @import {Connection, Listener} from "../connection/reconnecting.js" */
/** @import {KeyedMessage} from "../state/pending-requests.js" */
/** @import {TabStatus} from "../ui/tab-status.js" */
/** @import {About} from "../viewer/viewer-panel.js" */

/** Storage key of the choices in alerts.js. */
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
for (const embedded of page.tasks) {
  const { task, state } = readTask(embedded);
  task.prompt ??= byId(`prompt-${embedded.id}`)?.textContent ?? "";
  taskStore.addTask(embedded.id, task);
  taskStore.setState(state);
}
taskStore.updateQueue(page.queue ?? {});

const requests = createPendingRequests(store, siteKey(page.username));
const connectionAlert = find(document, "#connection-alert", HTMLElement);
const timeline = isStudio ? null : new (await import("../card/task-timeline.js")).TaskTimeline(page.tasks[0].id, readTask(page.tasks[0]).task);
/** Tasks submitted on this page: their cards are shown at once. */
const ownTasks = new Set();

const cancel = actionSender("cancel");
const taskList = createTaskList({
  taskStore,
  actions: { cancel, retry: actionSender("retry"), reuse: ({ task }) => composer?.reuse(task) },
  others: page.others,
  clock: () => serverTime(Date.now()),
});
const composer = isStudio ? createComposer(page, requests, request) : null;
const cancelWaiting = byId("cancel-waiting");
/** Loaded with the first task. @type {TabStatus | null} */
let tabStatus = null;
const loadTabStatus = lazy(async () => {
  tabStatus = (await import("../ui/tab-status.js")).createTabStatus();
  refreshTabStatus();
});
/** Loaded when the user turns alerts on. */
const loadAlerts = () => import("../ui/alerts.js").then(({ listen }) => listen(), () => {});
let isTabStatusOld = false;
const loadCollection = lazy(async () => new (await import("../state/collection.js")).Collection({
  taskStore, taskList, isStudio, revision: page.collection, mostNamed: page.limits.named,
}));

/** @type {Listener} */
const listener = {
  connectionChanged,
  taskAdded(taskId, { request_key: key, created }) {
    if (created < page.server_time) taskList.filters.move(taskStore.state(taskId).status, -1); // the page counted it
    const isOwn = ownTasks.has(taskId) || requests.get(key ?? "") !== null;
    const isNew = taskList.card(taskId) === null;
    taskList.add(taskId, { own: isOwn });
    if (isStudio && isOwn && isNew) requestAnimationFrame(() => showWhere(taskId));
    refreshTabStatusSoon();
  },
  taskChanged,
  taskRemoved: (taskId) => taskList.remove(taskId),
  queueChanged(taskIds) {
    for (const taskId of taskIds) taskList.update(taskId, true);
    refreshTabStatusSoon();
  },
  collectionChanged: (frame) => void loadCollection().then((collection) => collection.changed(frame)).catch(() => {}), // the next change reads again
  reconnected: () => void loadCollection().then((collection) => collection.rereadSoon()).catch(() => {}),
  modelsChanged: (models) => composer?.setModels(models),
  limitsChanged: (limits) => composer?.setLimits(limits, () => serverTime(Date.now())),
  accepted({ action }, { taskId, duplicate }) {
    ownTasks.add(taskId);
    if (duplicate && action === "generate") announce(gettext("Already sent; not drawn twice"));
    if (action === "retry" && !isStudio) location.assign(siteUrl(`/tasks/${taskId}/`));
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
  serverTimeReceived(serverNow) {
    clockLead = serverNow - Date.now() / 1000;
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

// --- what the user does -------------------------------------------------------------------------

/** @param {KeyedMessage} message */
function request(message) {
  socket.request(message);
  refreshSending();
}

/**
 * @param {string} action
 * @returns {(card: Card) => void}
 */
function actionSender(action) {
  return ({ taskId }) => request({ action, task_id: taskId, request_key: newRequestKey() });
}

/** Edit the settings of a picture in the form; from an open viewer, on another page. @param {About} about */
function editVariation({ key, task, settings, width, height, seed, thumbnail_url: thumbnail }) {
  if (!composer || document.querySelector("dialog[open]")) location.assign(siteUrl(`/?from=${key}`));
  else composer.vary(task, { ...settings, width, height }, { seed, thumbnail });
}

/** @param {string} taskId */
const showWhere = (taskId) => import("../card/show-where.js").then(({ showWhere: show }) => show(taskList, taskId), () => {});

on(document, "studio:drawn", (event) => {
  const { task } = /** @type {CustomEvent<{task: string}>} */ (event).detail;
  ownTasks.add(task);
  if (!isStudio || !taskStore.task(task)) return; // shown when its `task` frame arrives
  taskList.add(task, { own: true });
  showWhere(task);
});

/** Queued tasks, which can be cancelled together. */
const queuedCards = () => taskList.cards().filter(({ state }) => state.status === "queued" && !state.cancel_requested);

// --- what the server sends ----------------------------------------------------------------------

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
  if (live && card) announceEvent(card, before, frame);
  refreshTabStatusSoon();
}

/**
 * @param {Card} card
 * @param {number} before percent
 * @param {EventFrame} frame
 */
function announceEvent(card, before, frame) {
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
  const sentence = over || kind === "interrupted" || kind === "claimed" ? label("status", status)
    : kind === "step_began" ? label("step", frame.step)
    : mark && `${mark}%`;
  if (sentence) announce(`${prompt} · ${sentence}`);
}

/**
 * @param {KeyedMessage | null} message
 * @param {Refusal} refusal
 */
function refused(message, refusal) {
  refreshSending();
  if (message?.action === "generate" && composer) composer.refused(message, refusal);
  else {
    import("../composer/composer-limits.js").then(({ refusalText }) => refusalText(refusal), () => refusal.message)
      .then((sentence) => toast(sentence, "fail"));
  }
}

/** @param {Connection} connection */
function connectionChanged(connection) {
  badge.show(connection);
  refreshSending();
  refreshStale();
  if (connection.reason === "protocol") import("../connection/reload-on-update.js").then(({ reloadWhenIdle }) => reloadWhenIdle(composer, store));
}

/** Mark cards as stale after a while: a short interruption is not shown. */
function refreshStale() {
  const { lostAt } = socket.connection;
  const since = lostAt !== null && Date.now() - lostAt >= STALE_AFTER_MS ? serverTime(lostAt) : null;
  taskList.setStale(since);
  setText(connectionAlert, since === null ? "" : gettext("The connection was lost."));
}

// --- page ---------------------------------------------------------------------------------------

/** At most once per animation frame; a hidden page has no frames, but a title. */
function refreshTabStatusSoon() {
  if (document.hidden) refreshTabStatus();
  else if (!isTabStatusOld) requestAnimationFrame(refreshTabStatus);
  isTabStatusOld = !document.hidden;
}

/** The mark, the title and the icon of the tab show the newest unfinished task. */
function refreshTabStatus() {
  isTabStatusOld = false;
  cancelWaiting?.toggleAttribute("hidden", queuedCards().length === 0);
  const cards = taskList.cards().sort((a, b) => b.task.created - a.task.created);
  if (cards[0]) loadTabStatus().catch(() => {}); // without it the tab shows no progress
  tabStatus?.show(cards[0], cards.find(({ state }) => !isTerminal(state.status)));
}

on(document, "click", (event) => {
  const example = closest(event, "[data-example]");
  if (example) composer?.usePrompt(example.textContent?.trim() ?? "");
});
on(cancelWaiting, "click", async () => {
  const { press } = await import("../card/cancel-waiting.js");
  if (cancelWaiting) press(cancelWaiting, queuedCards, cancel);
});
on(window, "online", socket.handleOnline);
on(window, "offline", socket.handleOffline);
on(document, "visibilitychange", () => {
  refreshTabStatus();
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
listenForVarying(editVariation);
for (const { id } of page.tasks) timeline?.show(taskStore.state(id));
refreshTabStatus();
transports.prepare().then(() => socket.start());
for (const menu of document.querySelectorAll("details:has([data-alerts])")) on(menu, "toggle", loadAlerts);
on(window, "storage", ({ key }) => key === ALERTS && loadAlerts());
if (storage("localStorage")?.getItem(ALERTS)) loadAlerts();
if (/** @type {any} */ (globalThis).studioInputCapture?.()) find(document, "#composer", HTMLFormElement).requestSubmit();
