// @ts-check
/** The state of the review page as a fold of what happened; knows nothing of the page. */

/**
 * A picture as the server offers it; `version` is the number of its newest decision.
 *
 * @typedef {object} Offer
 * @property {number} id
 * @property {number} version
 * @property {string} state
 * @property {boolean} appeal
 * @property {boolean} words
 * @property {string} prompt
 * @property {number} width
 * @property {number} height
 * @property {string} thumbnail
 * @property {string} file
 */
/** `offered`: the version that waits for a decision; `pending`: what is being sent; `by`: a colleague who decided.
 * @typedef {Offer & {offered: number, pending: string, by: string}} Item */
/** @typedef {{id: number, version: number, state: string, by?: string}} Outcome */
/** `decisions`: own ones that can be undone, the newest last, each with those that were made at once.
 * @typedef {{items: Item[], current: number | null, decisions: Outcome[][]}} Desk */
/**
 * @typedef {{type: "offered", offers: Offer[]}
 *   | {type: "went", id: number}
 *   | {type: "stepped", by: number}
 *   | {type: "sent", ids: number[], state: string}
 *   | {type: "stored", outcomes: Outcome[]}
 *   | {type: "refused", id: number, outcome: Outcome | null}
 *   | {type: "vanished", id: number}
 *   | {type: "undone", outcomes: Outcome[]}
 *   | {type: "reviewed", reviews: Outcome[], me: string}} Change
 */

const KEPT_DECIDED = 12;
const MAX_DECISIONS = 300;

/** @type {Desk} */
export const EMPTY = { items: [], current: null, decisions: [] };

/** @param {Item} item */
export const isDecided = ({ pending, version, offered }) => pending !== "" || version !== offered;

/** @param {Desk} desk */
export const currentItem = ({ items, current }) => items.find(({ id }) => id === current) ?? null;

/** The pictures that wait for this reviewer. @param {Desk} desk */
export const waiting = ({ items }) => items.filter((item) => !isDecided(item));

/** @param {Desk} desk @param {Change} change @returns {Desk} */
export function reduce(desk, change) {
  switch (change.type) {
    case "offered":
      return withCurrent(trimmed(merged(desk, change.offers)));
    case "went":
      return desk.items.some(({ id }) => id === change.id) ? { ...desk, current: change.id } : desk;
    case "stepped":
      return stepped(desk, change.by);
    case "sent":
      return advanced(mapped(desk, change.ids, (item) => ({ ...item, pending: change.state })));
    case "stored":
      return withDecision(change.outcomes.reduce(settled, desk), change.outcomes);
    case "refused":
      return refused(desk, change.id, change.outcome);
    case "vanished":
      return vanished(desk, change.id);
    case "undone":
      return undone(desk, change.outcomes);
    case "reviewed":
      return change.reviews.reduce((before, review) => reviewed(before, review, change.me), desk);
  }
}

/** New appeals come behind the current picture, everything else at the end. @param {Desk} desk @param {Offer[]} offers */
function merged(desk, offers) {
  const fresh = new Map(offers.map((offer) => [offer.id, { ...offer, offered: offer.version, pending: "", by: "" }]));
  const items = desk.items.map((item) => {
    const offer = fresh.get(item.id);
    fresh.delete(item.id);
    // what was decided here may have been read before the decision
    return offer && !item.pending && offer.version >= item.version && !(isDecided(item) && offer.version === item.version) ? offer : item;
  });
  const added = [...fresh.values()];
  const here = items.findIndex(({ id }) => id === desk.current);
  items.splice(here + 1, 0, ...(here < 0 ? [] : added.filter(({ appeal }) => appeal)));
  items.push(...added.filter(({ appeal }) => here < 0 || !appeal));
  return { ...desk, items };
}

/** Drops old decided pictures, so that an hour of work does not fill the page. @param {Desk} desk */
function trimmed(desk) {
  const decided = desk.items.filter((item) => isDecided(item) && !item.pending && item.id !== desk.current);
  const gone = new Set(decided.slice(0, -KEPT_DECIDED));
  return gone.size > 0 ? { ...desk, items: desk.items.filter((item) => !gone.has(item)) } : desk;
}

/** @param {Desk} desk */
function withCurrent(desk) {
  if (desk.items.some(({ id }) => id === desk.current)) return desk;
  return { ...desk, current: waiting(desk)[0]?.id ?? null };
}

/** @param {Desk} desk @param {number} by */
function stepped(desk, by) {
  const here = desk.items.findIndex(({ id }) => id === desk.current);
  const next = desk.items[here + by];
  return next ? { ...desk, current: next.id } : desk;
}

/** To the next picture that waits: behind the current one, or else before it. @param {Desk} desk */
function advanced(desk) {
  const here = desk.items.findIndex(({ id }) => id === desk.current);
  if (here >= 0 && !isDecided(desk.items[here])) return desk;
  const next = [...desk.items.slice(here + 1), ...desk.items.slice(0, Math.max(0, here))].find((item) => !isDecided(item));
  return { ...desk, current: next?.id ?? null };
}

/** @param {Desk} desk @param {number[]} ids @param {(item: Item) => Item} change @returns {Desk} */
const mapped = (desk, ids, change) => ({ ...desk, items: desk.items.map((item) => (ids.includes(item.id) ? change(item) : item)) });

/** @param {Desk} desk @param {Outcome} outcome @returns {Desk} */
const settled = (desk, { id, version, state, by = "" }) => mapped(desk, [id], (item) => ({ ...item, version, state, by, pending: "", appeal: false }));

/** @param {Desk} desk @param {Outcome[]} outcomes @returns {Desk} */
const withDecision = (desk, outcomes) => (outcomes.length > 0 ? { ...desk, decisions: [...desk.decisions, outcomes].slice(-MAX_DECISIONS) } : desk);

/** With an outcome a colleague was first; without one nothing was stored, and the picture waits again.
 * @param {Desk} desk @param {number} id @param {Outcome | null} outcome @returns {Desk} */
function refused(desk, id, outcome) {
  if (outcome) return settled(desk, outcome);
  return { ...mapped(desk, [id], (item) => ({ ...item, pending: "" })), current: desk.items.some((item) => item.id === id) ? id : desk.current };
}

/** @param {Desk} desk @param {number} id */
function vanished(desk, id) {
  const moved = desk.current === id ? advanced(mapped(desk, [id], (item) => ({ ...item, pending: "gone" }))) : desk;
  return { ...moved, items: moved.items.filter((item) => item.id !== id) };
}

/** They wait again, and the first one is shown. @param {Desk} desk @param {Outcome[]} outcomes @returns {Desk} */
function undone(desk, outcomes) {
  const items = desk.items.map((item) => {
    const outcome = outcomes.find(({ id }) => id === item.id);
    return outcome ? { ...item, ...outcome, by: "", offered: outcome.version, pending: "" } : item;
  });
  const shown = outcomes.find(({ id }) => items.some((item) => item.id === id));
  return { items, current: shown?.id ?? desk.current, decisions: desk.decisions.slice(0, -1) };
}

/** @param {Desk} desk @param {Outcome} review @param {string} me */
function reviewed(desk, review, me) {
  const item = desk.items.find(({ id }) => id === review.id);
  if (!item || item.pending || review.version <= item.version) return desk;
  return settled(desk, { ...review, by: review.by === me ? "" : review.by });
}
