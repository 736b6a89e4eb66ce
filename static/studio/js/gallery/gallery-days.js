// @ts-check
/** The tiles of the gallery, grouped by day in the user's time zone. */

import { part, setAttribute, setText } from "../lib/dom.js";
import { dates, dayAndTime, gettext, ngettext } from "../lib/i18n.js";

const monthDay = dates({ month: "long", day: "numeric" });
const withYear = dates({ year: "numeric", month: "long", day: "numeric" });
const weekday = dates({ weekday: "long" });
const DAY_MS = 86_400_000;

/** YYYY-MM-DD. @param {Date} moment */
const dayOf = (moment) => dayAndTime(moment)[0];

/** The shown tiles, in order. @param {ParentNode} gallery @returns {HTMLElement[]} */
export const tilesOf = (gallery) => [...gallery.querySelectorAll(".tile")].filter(isShown);

/** @param {Element} tile @returns {tile is HTMLElement} */
const isShown = (tile) => tile instanceof HTMLElement && !tile.hidden;

/** A picture's key, or the task's id. @param {HTMLElement} tile */
export const idOf = ({ dataset }) => dataset.key ?? dataset.task ?? "";

/** @param {ParentNode} root @returns {HTMLElement[]} */
const allTiles = (root) => /** @type {HTMLElement[]} */ ([...root.querySelectorAll(".tile")]);

/**
 * Update the beginning of the gallery from a fresh first page. Unchanged tiles keep their nodes.
 *
 * @param {HTMLElement} gallery
 * @param {Node[]} page
 * @returns {boolean} whether anything changed
 */
export function mergeTiles(gallery, page) {
  const old = allTiles(gallery);
  const known = new Map(old.map((tile) => [idOf(tile), tile]));
  const fresh = page.flatMap((node) => (node instanceof Element ? allTiles(node) : []));
  const freshIds = new Set(fresh.map(idOf));
  const wanted = fresh.map((tile) => {
    const same = known.get(idOf(tile));
    if (!same || same.dataset.state !== tile.dataset.state) return tile;
    setAttribute(same, "data-favourite", tile.dataset.favourite !== undefined);
    return same;
  });
  const [first] = old;
  if (!first || wanted.every((tile, i) => tile === old[i])) return false;
  const covered = old.slice(0, old.findLastIndex((tile) => freshIds.has(idOf(tile))) + 1);
  /** @type {HTMLElement | null} */
  let before = null;
  for (const tile of wanted) {
    // unchanged tiles never move, so that they keep the focus
    if (!gallery.contains(tile)) before ? before.after(tile) : first.before(tile);
    before = tile;
  }
  // deleted tiles stay hidden for an undo
  for (const tile of covered) if (!wanted.includes(tile) && !tile.hidden) tile.remove();
  return true;
}

/**
 * The server groups tiles by its own days, and pages end in the middle of a day: move each tile to
 * its day on this device.
 *
 * @param {HTMLElement} gallery
 */
export function arrangeDays(gallery) {
  /** @type {Map<string, HTMLElement>} */
  const days = new Map();
  /** @type {HTMLElement | null} */
  let last = null;
  for (const tile of gallery.querySelectorAll(".tile")) {
    const day = dayOf(momentOf(tile));
    const drawn = /** @type {HTMLElement} */ (tile.closest(".day"));
    let section = days.get(day);
    if (!section) {
      section = drawn.dataset.day === day ? drawn : emptyDay(day, drawn, last);
      days.set(day, section);
    }
    if (section !== drawn) part(section, "rows").append(tile);
    last = section;
  }
  for (const section of gallery.querySelectorAll(".day")) {
    if (!section.querySelector(".tile")) section.remove();
  }
  nameDays(gallery);
}

/**
 * Write the names of the days, with counts except for a last day that may be incomplete.
 *
 * @param {HTMLElement} gallery
 */
export function nameDays(gallery) {
  const sections = [...gallery.querySelectorAll(".day")];
  const open = gallery.querySelector("[data-more]") ? sections.at(-1) : null;
  for (const section of sections) {
    const tiles = tilesOf(section);
    if (tiles.length === 0) continue;
    const { name, about } = dayTexts(momentOf(tiles[0]), new Date());
    const pictures = tiles.filter((tile) => tile.dataset.key).length;
    const count = ngettext("%(n)s picture", "%(n)s pictures", pictures);
    setText(part(section, "name"), name);
    setText(part(section, "about"), section === open || pictures === 0 ? about : `${about} · ${count}`);
  }
}

/** @param {Element} tile */
const momentOf = (tile) => new Date(Number(/** @type {HTMLElement} */ (tile).dataset.created) * 1000);

/**
 * @param {string} day
 * @param {HTMLElement} pattern the server's day, which is copied
 * @param {HTMLElement | null} last the last day on the page
 */
function emptyDay(day, pattern, last) {
  const section = /** @type {HTMLElement} */ (pattern.cloneNode(true));
  section.dataset.day = day;
  part(section, "rows").replaceChildren();
  if (last) last.after(section);
  else pattern.before(section);
  return section;
}

/**
 * @param {Date} moment
 * @param {Date} now
 */
function dayTexts(moment, now) {
  const [day, today] = [dayOf(moment), dayOf(now)];
  const date = (day.slice(0, 4) === today.slice(0, 4) ? monthDay : withYear).format(moment);
  const yesterday = new Date(Date.parse(today) - DAY_MS).toISOString().slice(0, today.length);
  if (day === today) return { name: gettext("Today"), about: date };
  if (day === yesterday) return { name: gettext("Yesterday"), about: date };
  return { name: date, about: weekday.format(moment) };
}
