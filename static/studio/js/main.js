// @ts-check
/** Entry of the studio page and of the task page: wires the parts together. */

import { Announcer, markPassed } from "./announce.js";
import { Badge } from "./badge.js";
import { slipsPassed } from "./card.js";
import { Composer } from "./composer.js";
import { find, setAttribute } from "./dom.js";
import { Feed } from "./feed.js";
import { percent } from "./format.js";
import { fill, gettext, ngettext } from "./i18n.js";
import { errorSentence, statusLabel, stepLabel } from "./labels.js";
import { Ledger } from "./ledger.js";
import { listenToMenus } from "./menus.js";
import { Outbox } from "./outbox.js";
import { isTerminal, newRequestKey } from "./protocol.js";
import { StudioSocket } from "./socket.js";
import { Story } from "./story.js";
import { toast } from "./toasts.js";

/** @import {Bootstrap, EventFrame, Refusal} from "./protocol.js" */
/** @import {Connection, Listener} from "./socket.js" */

const TICK_MS = 250;
const STALE_AFTER_MS = 1_500;
const RELOADED = "studio.reloaded-for-protocol";

const page = /** @type {Bootstrap} */ (JSON.parse(find(document, "#studio-state", HTMLScriptElement).textContent ?? "{}"));
const isStudio = document.getElementById("composer") !== null;
const baseTitle = document.title;

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
const story = isStudio ? null : new Story();
/** Tasks that this page asked for: they are shown at once, and the newest is spoken about. */
const own = new Set();

const feed = new Feed({ ledger, actions: { cancel, retry, reuse }, clock: serverNow });
const composer = isStudio ? new Composer(page, (message) => ask(message)) : null;

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
  },
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

const socket = new StudioSocket({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${page.socket_path}`,
  ledger,
  outbox,
  listener,
  env: {
    open: (url) => new WebSocket(url),
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

// --- what the server says -----------------------------------------------------------------------

/**
 * @param {string} taskId
 * @param {EventFrame} frame
 * @param {boolean} live
 */
function taskChanged(taskId, frame, live) {
  const before = feed.cards().find((card) => card.taskId === taskId)?.state;
  feed.update(taskId);
  story?.add(frame);
  story?.show(ledger.state(taskId));
  if (live && before && ledger.task(taskId)) speak(taskId, before.progress, frame);
  refreshMark();
}

/**
 * @param {string} taskId
 * @param {number} progressBefore
 * @param {EventFrame} frame
 */
function speak(taskId, progressBefore, frame) {
  const prompt = [...(ledger.task(taskId)?.prompt ?? "")].slice(0, 24).join("");
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
  if (message?.action === "generate" && composer) composer.showError(refusal.code, refusal.field, refusal.message);
  else toast(errorSentence(refusal.code, refusal.message), "fail");
}

/** @param {Connection} connection */
function connectionChanged(connection) {
  badge.show(connection);
  refreshSending();
  refreshStale(connection);
  if (connection.phase === "live") storage()?.removeItem(RELOADED);
  if (connection.reason === "protocol") reloadWhenQuiet();
  const lost = connection.lostAt !== null;
  if (lost !== wasLost) announceLoss(lost);
  wasLost = lost;
}

let wasLost = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let lossTimer;

/** A break that heals within a moment is not worth an interruption. @param {boolean} lost */
function announceLoss(lost) {
  clearTimeout(lossTimer);
  const region = document.getElementById("connection-alert");
  if (!region) return;
  if (!lost) region.textContent = "";
  else lossTimer = setTimeout(() => (region.textContent = gettext("The connection is lost.")), STALE_AFTER_MS);
}

/** @param {Connection} connection */
function refreshStale({ lostAt }) {
  const stale = lostAt !== null && Date.now() - lostAt >= STALE_AFTER_MS;
  feed.setStale(stale ? serverTime(lostAt) : null);
}

function refreshSending() {
  const { phase, failures } = socket.connection;
  const connected = phase === "live" || (phase === "connecting" && failures === 0);
  const messages = outbox.all();
  feed.showPending(messages, connected);
  composer?.showSending({ pending: messages.filter((m) => m.action === "generate").length, connected });
}

// --- page ---------------------------------------------------------------------------------------

/** Mark and tab title follow the newest task that is still going on. */
function refreshMark() {
  const cards = feed.cards().sort((a, b) => b.task.created - a.task.created);
  const active = cards.find((card) => !isTerminal(card.state.status));
  const shown = active ?? cards[0];
  if (shown) {
    for (const mark of document.querySelectorAll(".bar [data-mark]")) {
      setAttribute(mark, "data-step", shown.state.step);
      setAttribute(mark, "data-status", shown.state.status);
      setAttribute(mark, "data-passed", slipsPassed(shown.state));
    }
  }
  document.title = active ? `${titleWords(active.taskId)} · ${baseTitle}` : baseTitle;
}

/** @param {string} taskId */
function titleWords(taskId) {
  const state = ledger.state(taskId);
  const place = ledger.place(taskId);
  if (state.status === "queued" && place) return fill(gettext("Place %(n)s in line"), { n: place.position });
  if (state.status === "queued") return statusLabel("queued");
  return `${percent(state.progress)}%`;
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
for (const { state } of page.tasks) story?.show(state);
refreshMark();
socket.start();
