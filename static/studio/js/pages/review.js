// @ts-check
/** Entry of the review page of staff. Without it the page decides by forms. */

import { areKeysOn, listenToKeys, switchKeys } from "../review/review-keys.js";
import { followNews } from "../review/review-news.js";
import { PictureView } from "../review/review-picture.js";
import { EMPTY, currentItem, isDecided, reduce, waiting } from "../review/review-reducer.js";
import { Refused, getJson, post, release } from "../review/review-requests.js";
import { Strip } from "../review/review-strip.js";
import { MAX_TILES, Tiles } from "../review/review-tiles.js";

/** @typedef {import("../review/review-reducer.js").Change} Change */
/** @typedef {import("../review/review-reducer.js").Item} Item */
/** @typedef {import("../review/review-reducer.js").Outcome} Outcome */

const AHEAD = 20;
const PRELOADED = 3;
const MAX_SEARCHES = 20;
const RENEW_MS = 180_000;
const TOAST_MS = 8_000;

/** @template {Element} T @param {string} selector @param {new () => T} kind @param {ParentNode} [root] @returns {T} */
function find(selector, kind, root = document) {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`no ${kind.name} at ${selector}`);
  return found;
}

const boot = JSON.parse(find("#review-state", HTMLScriptElement).textContent ?? "");
const root = find("#desk", HTMLElement);
const base = root.dataset.url ?? "";
/** @type {Record<string, string>} */
const words = boot.words;
/** @param {string} text @param {Record<string, string | number>} values */
const filled = (text, values) => text.replace(/%\((\w+)\)s/g, (_all, name) => String(values[name]));

/** @param {string} path @param {Record<string, string | number | null>} [more] */
function address(path, more = {}) {
  const query = new URLSearchParams(boot.query);
  for (const [name, value] of Object.entries(more)) if (value !== null) query.set(name, String(value));
  const text = query.toString();
  return `${base}${path}${text ? `?${text}` : ""}`;
}

const pageOf = (/** @type {number} */ id) => address("", { picture: id });
const view = new PictureView(find("#review-picture", HTMLElement), (id) => address(`${id}/`));
const strip = new Strip(find("#review-strip", HTMLElement), find("#strip-item", HTMLTemplateElement), pageOf, noteOf);
const grid = find("#review-tiles", HTMLElement);
const tiles = new Tiles(grid, find("#tile-item", HTMLTemplateElement), pageOf, showSelection);
const toast = find("#review-toast", HTMLElement);
const help = find("#review-keys", HTMLDialogElement);
const empty = find("#review-empty", HTMLElement);

let desk = EMPTY;
/** Decisions that are being sent, by picture. @type {Map<number, Promise<void>>} */
const sending = new Map();
/** The end of what is being sent. @type {Promise<void>} */
let newest = Promise.resolve();
/** What waits for that. @type {Set<() => void>} */
const unsent = new Set();
let toastTimer = 0;
let isLoading = false;
let isExhausted = false;
/** The newest end of the claims of this page. */
let until = boot.until ?? "";
let activeAt = Date.now();

/** @param {Item} item */
function noteOf(item) {
  if (isDecided(item)) {
    const state = words[item.pending || item.state] ?? "";
    return item.by ? filled(words.by, { name: item.by, state }) : state;
  }
  return item.appeal ? words.appeal : item.words ? words.wordsFound : "";
}

/** @param {Change} change */
function apply(change) {
  const before = desk.current;
  desk = reduce(desk, change);
  strip.render(desk);
  if (isGrid()) tiles.render(desk);
  if (desk.current !== before || change.type !== "sent") void showCurrent(desk.current !== before);
  void topUp();
}

/** @param {boolean} hasMoved */
async function showCurrent(hasMoved) {
  const item = currentItem(desk);
  empty.hidden = item !== null || isGrid() || isLoading;
  if (!item) return view.clear();
  try {
    const isShown = await view.show(item);
    if (isShown && hasMoved) {
      history.replaceState(null, "", pageOf(item.id));
      find(".desk__strip [aria-current]", HTMLElement).scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  } catch (error) {
    failed(error, item.id);
  }
  const here = desk.items.indexOf(item);
  view.preload(desk.items.slice(here + 1).filter((each) => !isDecided(each)).slice(0, PRELOADED));
}

/** Ask for more before the strip ends; a filter may need several searches. @param {boolean} [isForced] */
async function topUp(isForced = false) {
  const wanted = isGrid() ? MAX_TILES : AHEAD;
  const held = waiting(desk).length;
  if (isLoading || (!isForced && (isExhausted || held >= wanted))) return;
  isLoading = true;
  try {
    const most = wanted + AHEAD;
    /** @type {number | null} */
    let after = null;
    for (let search = 0; search < MAX_SEARCHES; search += 1) {
      const page = await getJson(address("next/", { most, after }));
      isExhausted = page.next === null;
      until = page.until ?? until;
      if (page.nothing) {
        find("h2", HTMLElement, empty).textContent = page.nothing.title;
        find("[data-part='text']", HTMLElement, empty).textContent = page.nothing.text;
      }
      apply({ type: "offered", offers: page.items });
      after = page.next;
      if (after === null || waiting(desk).length >= wanted) break;
    }
  } catch (error) {
    failed(error);
  } finally {
    isLoading = false;
    empty.hidden = desk.current !== null || isGrid();
  }
}

/**
 * Decide about the picture that is shown, and go on at once. One that is not loaded yet has not been seen.
 *
 * @param {string} state
 * @param {number | "note" | null} [reason]
 */
function decide(state, reason = null) {
  const { shown } = view;
  const item = currentItem(desk);
  if (!shown || !item || shown.id !== item.id || !shown.isLoaded || item.pending || !view.root.querySelector("[data-part='verdict']")) return;
  const note = find("[data-part='note']", HTMLTextAreaElement, view.root);
  if (state === "hidden" && typeof reason !== "number" && !note.value.trim()) {
    note.focus();
    return say(words.reasonMissing, { tone: "warn" });
  }
  const body = { state, version: shown.version, note: note.value, reason: typeof reason === "number" ? reason : null };
  send(item.id, [item.id], state, async () => {
    const outcome = await post(address(`${item.id}/decide/`), body);
    apply({ type: "stored", outcomes: [outcome] });
    say(words[state], { undo: true });
  });
}

/** @param {number} id @param {number[]} ids @param {string} state @param {() => Promise<void>} request */
function send(id, ids, state, request) {
  apply({ type: "sent", ids, state });
  /** @type {Promise<void> | undefined} */
  let started;
  const start = () => {
    unsent.delete(start);
    return (started ??= request());
  };
  unsent.add(start);
  // one after another: the newest that is stored is the one that was decided last
  const sent = newest.then(start).catch((error) => {
    for (const each of ids) refuse(each, error);
  });
  newest = sent;
  for (const each of ids) sending.set(each, sent);
  void sent.finally(() => ids.forEach((each) => sending.delete(each)));
  if (id !== desk.current) announceNext();
}

/** @param {number} id @param {unknown} error */
function refuse(id, error) {
  if (error instanceof Refused && error.status === 409) {
    apply({ type: "refused", id, outcome: { ...error.data, id, version: error.data.version, state: error.data.state } });
    return say(error.message, { tone: "warn" });
  }
  if (error instanceof Refused && error.status === 404) apply({ type: "vanished", id });
  else apply({ type: "refused", id, outcome: null });
  failed(error);
}

/** @param {unknown} error @param {number} [id] of a picture that cannot be shown */
function failed(error, id) {
  if (id !== undefined && error instanceof Refused && error.status === 404) return apply({ type: "vanished", id });
  const isSignedOut = error instanceof Refused && error.status === 401;
  const text = error instanceof Refused && error.data.message;
  say(isSignedOut ? words.signedOut : text || words.failed, { tone: "warn" });
}

/** Undo what was decided last; several pictures if they were approved at once. */
async function undoLast() {
  await Promise.all(sending.values());
  const last = desk.decisions.at(-1);
  if (!last) return say(words.nothingToUndo);
  /** @type {Outcome[]} */
  const outcomes = [];
  try {
    for (const { id, version } of last) outcomes.push(await post(address(`${id}/undo/`), { version }));
    say(words.undone);
  } catch (error) {
    failed(error);
  }
  if (outcomes.length > 0 || last.length === 1) apply({ type: "undone", outcomes });
}

function approveSelected() {
  const pairs = tiles.selected;
  if (pairs.length === 0) return;
  const ids = pairs.map(([id]) => id);
  send(ids[0], ids, "approved", async () => {
    /** @type {{pictures: (Outcome & {code?: string})[]}} */
    const { pictures } = await post(address("approve/"), { pictures: pairs });
    const stored = pictures.filter(({ code }) => !code);
    apply({ type: "stored", outcomes: stored });
    for (const picture of pictures) {
      if (picture.code === "not_found") apply({ type: "vanished", id: picture.id });
      else if (picture.code) apply({ type: "refused", id: picture.id, outcome: picture.version ? picture : null });
    }
    const done = filled(words.approvedMany, { count: stored.length });
    const left = pictures.length - stored.length;
    say(left ? `${done} · ${filled(words.conflicts, { count: left })}` : done, { undo: stored.length > 0, tone: left ? "warn" : "" });
  });
}

/** @param {string} text @param {{undo?: boolean, tone?: string}} [options] */
function say(text, { undo = false, tone = "" } = {}) {
  clearTimeout(toastTimer);
  find("[data-part='text']", HTMLElement, toast).textContent = text;
  find("[data-part='undo']", HTMLElement, toast).hidden = !undo;
  toast.dataset.tone = tone;
  toast.hidden = false;
  toastTimer = window.setTimeout(() => (toast.hidden = true), TOAST_MS);
  find(tone ? "#review-alert" : "#review-live", HTMLElement).textContent = text;
}

function announceNext() {
  const item = currentItem(desk);
  if (item) find("#review-live", HTMLElement).textContent = item.prompt.slice(0, 120);
}

const isGrid = () => root.dataset.mode === "grid";

/** @param {boolean} on */
function setGrid(on) {
  root.dataset.mode = on ? "grid" : "one";
  grid.hidden = !on;
  find("#review-grid", HTMLElement).setAttribute("aria-pressed", String(on));
  if (on) tiles.render(desk);
  void showCurrent(false);
  void topUp();
}

function showSelection() {
  const count = tiles.selected.length;
  const button = find("[data-tiles='approve']", HTMLButtonElement, grid);
  button.disabled = count === 0;
  find("[data-part='approve']", HTMLElement, button).textContent = filled(words.approveSelected, { count });
}

function zoom() {
  const button = view.root.querySelector("[data-part='zoom']");
  button?.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
}

/** @param {number} id @param {string | null} href where it is if it is not in the strip */
function go(id, href) {
  if (desk.items.some((item) => item.id === id)) apply({ type: "went", id });
  else if (href) location.assign(href);
}

/** @param {1 | -1} by */
const walk = (by) => (isGrid() ? tiles.walk(by) : apply({ type: "stepped", by }));

listenToKeys({
  root: view.root,
  isGrid,
  setGrid,
  decide,
  approveSelected,
  undoLast,
  zoom,
  walk,
  go,
  showHelp: () => help.showModal(),
});

view.root.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const button = event.submitter;
  if (form.dataset.part === "undo") {
    // of any picture, so the form says which version
    event.preventDefault();
    const { shown } = view;
    if (shown) void undoShown(shown.id, shown.version);
  } else if (form.dataset.part === "verdict" && button instanceof HTMLButtonElement) {
    event.preventDefault();
    if (button.name === "state") decide(button.value);
    else decide("hidden", button.value === "note" ? "note" : Number(button.value));
  }
});

/** @param {number} id @param {number} version */
async function undoShown(id, version) {
  try {
    const outcome = await post(address(`${id}/undo/`), { version });
    desk = { ...desk, decisions: [...desk.decisions, [outcome]] };
    apply({ type: "undone", outcomes: [outcome] });
    say(words.undone);
  } catch (error) {
    refuse(id, error);
  }
}

document.addEventListener("click", (event) => {
  const { target, button, ctrlKey, metaKey, shiftKey } = event;
  if (!(target instanceof Element) || button !== 0 || ctrlKey || metaKey || shiftKey) return;
  const strike = /** @type {HTMLElement | null} */ (target.closest(".strip__item a, [data-sibling], [data-open]"));
  if (strike) {
    const id = Number(strike.dataset.sibling ?? strike.dataset.open ?? strike.closest("li")?.dataset.id);
    event.preventDefault();
    if (isGrid()) setGrid(false);
    go(id, strike.getAttribute("href"));
  } else if (target.closest("[data-part='zoom']")) zoom();
  else if (target.closest("#review-grid")) setGrid(!isGrid());
  else if (target.closest("#review-help")) help.showModal();
  else if (target.closest("[data-tiles='all']")) tiles.selectAll(true);
  else if (target.closest("[data-tiles='none']")) tiles.selectAll(false);
  else if (target.closest("[data-tiles='approve']")) approveSelected();
  else if (target.closest("#review-toast [data-part='undo']")) void undoLast();
});

for (const name of ["keydown", "pointerdown"]) document.addEventListener(name, () => (activeAt = Date.now()), { passive: true });
setInterval(() => {
  // pictures of a reviewer who went away return to the queue
  if (boot.claimed && Date.now() - activeAt < RENEW_MS) void topUp(true);
}, RENEW_MS);
// requests that have begun outlive the page
addEventListener("pagehide", () => unsent.forEach((start) => start()));
if (boot.claimed) {
  addEventListener("pagehide", () => {
    const pictures = waiting(desk).map(({ id }) => id).join();
    release(`${base}release/`, { pictures, until });
  });
  addEventListener("pageshow", ({ persisted }) => persisted && void topUp(true));
}

const keysBox = find("#review-keys-on", HTMLInputElement);
keysBox.checked = areKeysOn();
keysBox.addEventListener("change", () => switchKeys(keysBox.checked));
for (const id of ["#review-grid", "#review-help"]) find(id, HTMLElement).hidden = false;

desk = { ...EMPTY, current: boot.current };
apply({ type: "offered", offers: boot.items });
// the page before this one has just returned what this one holds
if (boot.claimed) void topUp(true);

void followNews(
  `${base}news/`,
  boot.cursor,
  (news, hasPictures) => {
    find("#review-summary", HTMLElement).textContent = news.summary;
    find("#review-hour", HTMLElement).textContent = news.hour;
    for (const count of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-count]"))) {
      count.textContent = news.counts[count.dataset.count ?? ""] ?? "";
    }
    const before = currentItem(desk);
    apply({ type: "reviewed", reviews: news.reviews, me: boot.me });
    const after = currentItem(desk);
    if (before && after && before.id === after.id && after.by && before.version !== after.version) {
      say(noteOf(after), { tone: "warn" });
    }
    // what colleagues left returns without notice
    if (hasPictures || desk.current === null) {
      isExhausted = false;
      void topUp();
    }
  },
  (live) => (find("#review-offline", HTMLElement).hidden = live),
);
