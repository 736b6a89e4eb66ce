// @ts-check
/** The connection badge, the retry button and the notice below the header; their sentences are in the page. */

import { Parts, byId, on } from "../lib/dom.js";
import { gettext, timeOfDay } from "../lib/i18n.js";

/** @import {Connection} from "./reconnecting.js" */

/** A shorter interruption shows no notice. */
const NOTICE_AFTER_MS = 1_500;

/**
 * @param {{retryNow: () => void, isBusy: () => boolean, serverTime: (ms: number) => number}} parts
 *   `isBusy`: whether a task is unfinished
 */
export function createBadge({ retryNow, isBusy, serverTime }) {
  const element = byId("connection");
  const parts = element && new Parts(element);
  const retry = byId("retry-now");
  const notice = byId("notice");
  /** @type {Connection | null} */
  let current = null;

  /** @param {Connection} connection */
  function show(connection) {
    current = connection;
    tick();
  }

  function tick() {
    const connection = current;
    if (!connection || !parts) return;
    const { phase, transport, why, latencyMs, connectionId, lostAt, failures, retryAt } = connection;
    const [label, detail, long] = ["label", "detail", "long"].map((name) => parts.get(name).dataset);
    const live = phase === "live";
    const latency = live && latencyMs !== null ? gettext("%(n)s ms", { n: latencyMs }) : "";
    const polls = live && transport === "poll";
    const seconds = phase === "waiting" ? Math.ceil(((retryAt ?? 0) - Date.now()) / 1000) : 0;
    const name = polls
      ? gettext("Updates every %(n)s s", { n: isBusy() ? 2 : 10 })
      : label[phase === "connecting" && failures > 0 ? "waiting" : phase] ?? "";
    const more = [detail[live ? transport : phase], latency].filter(Boolean).join(" · ");
    parts.setData({ phase, transport });
    parts.setTexts({
      label: name,
      detail: polls ? "" : seconds > 0 ? gettext("retry in %(n)s s", { n: seconds }) : more,
      long: live ? `${name} · ${long[transport]}` : name,
      id: connectionId ?? "–",
      latency: latency || "–",
    });
    parts.setShown({ why: why !== null });
    if (parts.hasChanged("reason", why)) reveal(parts.get("why"), "why", why);
    if (retry) retry.hidden = phase !== "waiting" && phase !== "offline";
    const sentence = noticeOf(connection);
    if (parts.hasChanged("notice", sentence)) showNotice(sentence, lostAt ?? 0);
  }

  /**
   * @param {string | null} name
   * @param {number} lostAt ms
   */
  function showNotice(name, lostAt) {
    const shown = notice && reveal(notice, "notice", name);
    notice?.toggleAttribute("hidden", !shown);
    notice?.setAttribute("data-tone", shown?.dataset.tone ?? "wait");
    const time = shown?.querySelector("time");
    if (time) time.textContent = timeOfDay(serverTime(lostAt));
  }

  /** @param {Connection} connection */
  function noticeOf({ phase, reason, lostAt }) {
    if (phase === "stopped") return reason;
    if (lostAt === null || Date.now() - lostAt < NOTICE_AFTER_MS) return null;
    return phase === "offline" ? phase : isBusy() ? "busy" : "idle";
  }

  on(retry, "click", retryNow);

  return { show, tick };
}

/** @typedef {ReturnType<typeof createBadge>} Badge */

/**
 * Show the sentence of this name and hide the others.
 *
 * @param {HTMLElement} root
 * @param {string} kind
 * @param {string | null} name
 * @returns {HTMLElement | undefined} the first that is shown
 */
function reveal(root, kind, name) {
  const all = /** @type {HTMLElement[]} */ ([...root.querySelectorAll(`[data-${kind}]`)]);
  for (const each of all) each.hidden = each.dataset[kind] !== name;
  return all.find((each) => !each.hidden);
}
