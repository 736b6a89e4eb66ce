// @ts-check
/** Entry of the studio page and of the task page: wires the parts together. */

import { Announcer, LossAlarm, markPassed } from "./announce.js";
import { Badge } from "./badge.js";
import { CancelWaiting } from "./cancel-waiting.js";
import { Composer } from "./composer.js";
import { find } from "./dom.js";
import { Feed } from "./feed.js";
import { fill, gettext, ngettext } from "./i18n.js";
import { errorSentence, statusLabel, stepLabel } from "./labels.js";
import { Ledger } from "./ledger.js";
import { listenToMenus } from "./menus.js";
import { Outbox } from "./outbox.js";
import { isTerminal, newRequestKey } from "./protocol.js";
import { StudioSocket } from "./socket.js";
import { toast } from "./toasts.js";
import { listenForViewing } from "./viewing.js";
import { browserLadder } from "./ways.js";

/** @import {Bootstrap, EventFrame, Refusal} from "./protocol.js" */
/** @import {Connection, Listener} from "./socket.js" */
/** @import {Presence} from "./presence.js" */

const TICK_MS = 250;
const STALE_AFTER_MS = 1_500;
const RELOADED = "studio.reloaded-for-protocol";

const page = /** @type {Bootstrap} */ (JSON.parse(find(document, "#studio-state", HTMLScriptElement).textContent ?? "{}"));
const isStudio = document.getElementById("composer") !== null;

/** Seconds that the server's clock is ahead of this device's. */
let clockLead = page.server_time - Date.now() / 1000;
/** @param {number} ms on this device's clock */
const serverTime = (ms) => ms / 1000 + clockLead;
const serverNow = () => serverTime(Date.now());

const ledger = new Ledger(() => isStudio);
for (const { task, state } of page.tasks) {
  ledger.learn(state.task_id, task);
  ledger.adopt(state);
}
ledger.arrange(page.queue ?? {});

const outbox = new Outbox(storage(), page.username);
const announcer = new Announcer(find(document, "#live-region", HTMLElement));
const alarm = new LossAlarm(find(document, "#connection-alert", HTMLElement), STALE_AFTER_MS);
const story = isStudio ? null : new (await import("./story.js")).Story(page.tasks[0].state.task_id, page.tasks[0].task);
/** Tasks that this page asked for: they are shown at once, and the newest is spoken about. */
const own = new Set();

const feed = new Feed({ ledger, actions: { cancel, retry, reuse }, clock: serverNow });
const composer = isStudio ? new Composer(page, (message) => ask(message)) : null;
const cancelWaiting = isStudio ? new CancelWaiting({ waiting, cancel }) : null;
/** Loaded when the page stands: nothing in it is needed for the first paint. @type {Presence | null} */
let presence = null;

/** @type {Listener} */
const listener = {
  connectionChanged,
  taskLearned(taskId, task) {
    const mine = own.has(taskId) || outbox.get(task.request_key ?? "") !== null;
    feed.add(taskId, { own: mine });
    refreshMark();
  },
  taskChanged,
  taskForgotten: (taskId) => feed.remove(taskId),
  placesChanged(taskIds) {
    for (const taskId of taskIds) feed.update(taskId);
    refreshMark();
  },
  modelsTold: (models) => composer?.offer(models),
  accepted(message, { taskId, duplicate }) {
    own.add(taskId);
    if (duplicate && message.action === "generate") announcer.say(gettext("Already sent; not drawn twice"));
    if (message.action === "retry" && !isStudio) location.assign(taskUrl(taskId));
    refreshSending();
  },
  refused,
  cancelAnswered(taskId, answer) {
    if (answer === "already_finished") toast(gettext("Already finished; not cancelled"), "plain");
    feed.update(taskId);
  },
  caughtUp(events) {
    if (events > 0) announcer.say(fill(ngettext("Caught up: %(n)s event", "Caught up: %(n)s events", events), { n: events }));
  },
  serverTimeTold(told) {
    clockLead = told - Date.now() / 1000;
  },
};

const ladder = browserLadder({ socketPath: page.socket_path, ledger, store: storage() });
const socket = new StudioSocket({
  ladder,
  ledger,
  outbox,
  listener,
  env: {
    now: () => Date.now(),
    random: Math.random,
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer),
    isOnline: () => navigator.onLine,
  },
});
const badge = new Badge({ retryNow: () => socket.retryNow(), unfinished: () => ledger.unfinished().length, serverTime });

// --- what a person does -------------------------------------------------------------------------

/** @param {import("./outbox.js").KeyedMessage} message */
function ask(message) {
  socket.ask(message);
  refreshSending();
}

/** @param {string} taskId */
function cancel(taskId) {
  ask({ action: "cancel", task_id: taskId, request_key: newRequestKey() });
}

/** @param {string} taskId */
function retry(taskId) {
  ask({ action: "retry", task_id: taskId, request_key: newRequestKey() });
}

/** @param {string} taskId */
function reuse(taskId) {
  const task = ledger.task(taskId);
  if (task) composer?.reuse(task);
}

/** A link that would load this very page to vary one of its pictures. @param {MouseEvent} event */
function varyHere(event) {
  const link = event.target instanceof Element ? event.target.closest(".card a[href*='?from=']") : null;
  if (!composer || !(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const [taskId, index] = (new URL(link.href).searchParams.get("from") ?? "").split(":");
  const task = ledger.task(taskId);
  const picture = ledger.state(taskId).images.find((image) => image.index === Number(index));
  if (!task || !picture) return;
  event.preventDefault();
  composer.vary(taskId, task, { seed: picture.seed, thumbnail: picture.thumbnail_url });
}

/** Those that a person may still want to take back all at once. */
function waiting() {
  const queued = feed.cards().filter(({ state }) => state.status === "queued" && !state.cancel_requested);
  return queued.map(({ taskId }) => taskId);
}

// --- what the server says -----------------------------------------------------------------------

/**
 * @param {string} taskId
 * @param {EventFrame} frame
 * @param {boolean} live
 */
function taskChanged(taskId, frame, live) {
  const before = feed.card(taskId)?.state;
  feed.update(taskId);
  story?.add(frame);
  story?.show(ledger.state(taskId));
  if (live && before) speak(taskId, before.progress, frame);
  refreshMark();
}

/**
 * @param {string} taskId
 * @param {number} progressBefore
 * @param {EventFrame} frame
 */
function speak(taskId, progressBefore, frame) {
  const task = ledger.task(taskId);
  if (!task) return;
  if (isTerminal(frame.status)) presence?.ended(taskId, { frame, task, state: ledger.state(taskId) });
  const prompt = [...task.prompt].slice(0, 24).join("");
  if (frame.kind === "failed") {
    toast(`${prompt} · ${errorSentence(frame.code ?? "", frame.message)}`, "fail");
  } else if (isTerminal(frame.status) || frame.kind === "interrupted" || frame.kind === "claimed") {
    announcer.say(`${prompt} · ${statusLabel(frame.status)}`);
  } else if (frame.kind === "step_began") {
    announcer.say(`${prompt} · ${stepLabel(frame.step)}`);
  } else {
    const mark = markPassed(progressBefore, frame.progress);
    if (mark !== null) announcer.say(`${prompt} · ${mark}%`);
  }
}

/**
 * @param {import("./outbox.js").KeyedMessage | null} message
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
  refreshStale(connection);
  if (connection.phase === "live") storage()?.removeItem(RELOADED);
  if (connection.reason === "protocol") reloadWhenQuiet();
  alarm.show(connection.lostAt !== null);
}

/** @param {Connection} connection */
function refreshStale({ lostAt }) {
  const stale = lostAt !== null && Date.now() - lostAt >= STALE_AFTER_MS;
  feed.setStale(stale ? serverTime(lostAt) : null);
}

function refreshSending() {
  const { phase, failures, reason } = socket.connection;
  const connected = phase === "live" || (phase === "connecting" && failures === 0);
  const messages = outbox.all();
  feed.showPending(messages, connected);
  composer?.showSending({ pending: messages.filter((m) => m.action === "generate").length, connected, reason });
}

// --- page ---------------------------------------------------------------------------------------

/** Mark, tab title and icon follow the newest task that is still going on. */
function refreshMark() {
  cancelWaiting?.refresh();
  const cards = feed.cards().sort((a, b) => b.task.created - a.task.created);
  const active = cards.find((card) => !isTerminal(card.state.status));
  presence?.show(cards[0]?.state ?? null, active ? { state: active.state, place: ledger.place(active.taskId) } : null);
}

/** A newer server speaks another protocol: reload, but never into somebody's sentence, and never in circles. */
function reloadWhenQuiet() {
  const store = storage();
  if (store?.getItem(RELOADED)) return;
  if (composer?.isBeingTyped()) {
    setTimeout(reloadWhenQuiet, 2_000);
    return;
  }
  store?.setItem(RELOADED, "1");
  composer?.keepDraft();
  location.reload();
}

/** @param {string} taskId */
const taskUrl = (taskId) => `/tasks/${taskId}/`;

function storage() {
  try {
    return sessionStorage;
  } catch {
    return null; // forbidden: what is unsent then lives as long as the page
  }
}

for (const button of document.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => composer?.usePrompt(button.textContent?.trim() ?? ""));
}
document.getElementById("pending")?.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-action='discard']") : null;
  const item = button?.closest("[data-request-key]");
  if (item instanceof HTMLElement) outbox.settle(item.dataset.requestKey);
  refreshSending();
});
document.addEventListener("click", varyHere);
addEventListener("online", () => socket.retryNow());
addEventListener("offline", () => socket.noteOffline());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) socket.retryNow();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) socket.retryNow();
});
setInterval(() => {
  feed.tick();
  badge.tick();
  refreshStale(socket.connection);
}, TICK_MS);

listenToMenus();
listenForViewing();
for (const { state } of page.tasks) story?.show(state);
refreshMark();
ladder.prepare().then(() => socket.start());
import("./presence.js").then(({ Presence }) => {
  presence = new Presence();
  refreshMark();
}, () => {}); // without it the page only says less
