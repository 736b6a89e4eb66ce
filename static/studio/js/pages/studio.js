// @ts-check
/** Entry of the studio page and of the task page: wires the parts together. */

import { createAnnouncer, markPassed } from "../ui/live-region.js";
import { createBadge } from "../connection/connection-badge.js";
import { at, ofThisSite } from "../lib/base.js";
import { createComposer } from "../composer/composer.js";
import { byId, closest, find, lazy, setText } from "../lib/dom.js";
import { createFeed } from "../card/task-list.js";
import { forgetOthers, storage } from "../state/own-storage.js";
import { errorSentence, gettext, ngettext, statusLabel, stepLabel } from "../lib/i18n.js";
import { createLedger } from "../state/task-store.js";
import { listenToMenus } from "../ui/menus.js";
import { createOutbox } from "../state/pending-requests.js";
import { isTerminal, newRequestKey } from "../connection/protocol.js";
import { watchSending } from "../composer/sending.js";
import { createSocket } from "../connection/socket.js";
import { toast } from "../ui/toasts.js";
import { listenForViewing } from "../viewer/picture-links.js";
import { listenForVarying } from "../viewer/variation-links.js";
import { browserLadder, clock } from "../connection/transports.js";

/** @import {Card} from "../card/card.js" */
/** @import {Bootstrap, EventFrame, Refusal} from "../connection/protocol.js" */
/** @import {Connection, Listener} from "../connection/socket.js" */
/** @import {KeyedMessage} from "../state/pending-requests.js" */
/** @import {Presence} from "../ui/tab-status.js" */
/** @import {About} from "../viewer/viewer-panel.js" */

/** Where alerts.js keeps what was chosen on this device. */
const ALERTS = "studio.alerts";
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

const ledger = createLedger(() => isStudio);
for (const { task, state } of page.tasks) {
  ledger.learn(state.task_id, task);
  ledger.adopt(state);
}
ledger.arrange(page.queue ?? {});

const outbox = createOutbox(store, ofThisSite(page.username));
const announcer = createAnnouncer(find(document, "#live-region", HTMLElement));
const alarm = find(document, "#connection-alert", HTMLElement);
const story = isStudio ? null : new (await import("../card/task-timeline.js")).Story(page.tasks[0].state.task_id, page.tasks[0].task);
/** Tasks that this page asked for: they are shown at once, and the newest is spoken about. */
const own = new Set();

const cancel = asking("cancel");
const feed = createFeed({
  ledger,
  actions: { cancel, retry: asking("retry"), reuse: ({ task }) => composer?.reuse(task) },
  others: page.others,
  clock: () => serverTime(Date.now()),
});
const composer = isStudio ? createComposer(page, ask) : null;
const cancelWaiting = byId("cancel-waiting");
/** Nothing in it is needed before there is a task. @type {Presence | null} */
let presence = null;
const loadPresence = lazy(async () => {
  const { Presence } = await import("../ui/tab-status.js");
  presence = new Presence();
  refreshMark();
});
/** Nor in this before somebody wants to be told. */
const wakeAlerts = () => import("../ui/alerts.js").then(({ listen }) => listen(), () => {});
let isMarkOld = false;
const loadCollection = lazy(async () => new (await import("../state/collection.js")).Collection({ ledger, feed, isStudio, revision: page.collection }));

/** @type {Listener} */
const listener = {
  connectionChanged,
  taskLearned(taskId, { request_key: key, created }) {
    if (created < page.server_time) feed.isNoOther(taskId); // the page had counted it
    const isOwn = own.has(taskId) || outbox.get(key ?? "") !== null;
    const isNew = feed.card(taskId) === null;
    feed.add(taskId, { own: isOwn });
    if (isStudio && isOwn && isNew) requestAnimationFrame(() => showWhere(taskId));
    refreshMarkSoon();
  },
  taskChanged,
  taskForgotten: (taskId) => feed.remove(taskId),
  placesChanged(taskIds) {
    for (const taskId of taskIds) feed.update(taskId, true);
    refreshMarkSoon();
  },
  collectionChanged: (frame) => void loadCollection().then((collection) => collection.changed(frame)).catch(() => {}), // the next one rereads
  cameBack: () => void loadCollection().then((collection) => collection.rereadSoon()).catch(() => {}),
  modelsTold: (models) => composer?.offer(models),
  accepted({ action }, { taskId, duplicate }) {
    own.add(taskId);
    if (duplicate && action === "generate") announcer.say(gettext("Already sent; not drawn twice"));
    if (action === "retry" && !isStudio) location.assign(at(`/tasks/${taskId}/`));
    refreshSending();
  },
  refused,
  cancelAnswered(taskId, answer) {
    if (answer === "already_finished") toast(gettext("Already finished; not cancelled"), "plain");
    feed.update(taskId);
  },
  caughtUp(events) {
    if (events > 0) announcer.say(ngettext("Caught up: %(n)s event", "Caught up: %(n)s events", events));
  },
  serverTimeTold(told) {
    clockLead = told - Date.now() / 1000;
  },
};

const ladder = browserLadder({ socketPath: page.socket_path, ledger, store, since: page.server_time });
const socket = createSocket({
  ladder,
  ledger,
  outbox,
  listener,
  env: { ...clock, random: Math.random, isOnline: () => navigator.onLine },
});
const refreshSending = watchSending({ outbox, composer, connection: () => socket.connection });
const badge = createBadge({ retryNow: socket.retryNow, isBusy: () => ledger.unfinished().length > 0, serverTime });

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
const showWhere = (taskId) => import("../card/show-where.js").then(({ showWhere: show }) => show(feed, taskId), () => {});

document.addEventListener("studio:drawn", (event) => {
  const { task } = /** @type {CustomEvent<{task: string}>} */ (event).detail;
  own.add(task);
  if (!isStudio || !ledger.task(task)) return; // it comes, and is shown then
  feed.add(task, { own: true });
  showWhere(task);
});

/** Those that a person may still want to take back all at once. */
const waiting = () => feed.cards().filter(({ state }) => state.status === "queued" && !state.cancel_requested);

// --- what the server says -----------------------------------------------------------------------

/**
 * @param {string} taskId
 * @param {EventFrame} frame
 * @param {boolean} live
 */
function taskChanged(taskId, frame, live) {
  const card = feed.card(taskId);
  const before = card?.state.progress ?? 0;
  feed.update(taskId, frame.kind === "progressed");
  story?.add(frame);
  story?.show(ledger.state(taskId));
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
  const mark = markPassed(before, frame.progress);
  const prompt = [...card.task.prompt].slice(0, 24).join("");
  if (over) {
    presence?.ended(frame);
    document.dispatchEvent(new CustomEvent("studio:ended", { detail: { card, frame } }));
  }
  if (kind === "failed") {
    toast(`${prompt} · ${errorSentence(frame.code ?? "", frame.message)}`, "fail");
    return;
  }
  const words = over || kind === "interrupted" || kind === "claimed" ? statusLabel(status)
    : kind === "step_began" ? stepLabel(frame.step)
    : mark && `${mark}%`;
  if (words) announcer.say(`${prompt} · ${words}`);
}

/**
 * @param {KeyedMessage | null} message
 * @param {Refusal} refusal
 */
function refused(message, refusal) {
  refreshSending();
  if (message?.action === "generate" && composer) composer.refused(message, refusal);
  else toast(errorSentence(refusal.code, refusal.message), "fail");
}

/** @param {Connection} connection */
function connectionChanged(connection) {
  badge.show(connection);
  refreshSending();
  refreshStale();
  if (connection.reason === "protocol") import("../connection/reload-on-update.js").then(({ renew }) => renew(composer, store));
}

/** A break that heals within a moment is not worth an interruption. */
function refreshStale() {
  const { lostAt } = socket.connection;
  const since = lostAt !== null && Date.now() - lostAt >= STALE_AFTER_MS ? serverTime(lostAt) : null;
  feed.setStale(since);
  setText(alarm, since === null ? "" : gettext("The connection is lost."));
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
  const cards = feed.cards().sort((a, b) => b.task.created - a.task.created);
  if (cards[0]) loadPresence().catch(() => {}); // without it the page only says less
  presence?.show(cards[0], cards.find(({ state }) => !isTerminal(state.status)));
}

document.addEventListener("click", (event) => {
  const example = closest(event, "[data-example]");
  if (example) composer?.usePrompt(example.textContent?.trim() ?? "");
});
cancelWaiting?.addEventListener("click", async () => {
  (await import("../card/cancel-waiting.js")).press(cancelWaiting, waiting, cancel);
});
addEventListener("online", socket.noteOnline);
addEventListener("offline", socket.noteOffline);
document.addEventListener("visibilitychange", () => {
  refreshMark();
  if (!document.hidden) socket.retryNow();
});
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) socket.retryNow();
});
setInterval(() => {
  feed.tick();
  badge.tick();
  refreshStale();
}, TICK_MS);

listenToMenus();
listenForViewing();
listenForVarying(changeMore);
for (const { state } of page.tasks) story?.show(state);
refreshMark();
ladder.prepare().then(() => socket.start());
for (const menu of document.querySelectorAll("details:has([data-alerts])")) menu.addEventListener("toggle", wakeAlerts);
addEventListener("storage", ({ key }) => key === ALERTS && wakeAlerts());
if (storage("localStorage")?.getItem(ALERTS)) wakeAlerts();
if (/** @type {any} */ (globalThis).studioEarly?.()) find(document, "#composer", HTMLFormElement).requestSubmit();
