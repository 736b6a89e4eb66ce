// @ts-check
/** The connection badge, the retry button and the notice below the bar; their sentences are in the page. */

import { Face, byId, on } from "../lib/dom.js";
import { gettext, timeOfDay } from "../lib/i18n.js";

/** @import {Connection} from "./socket.js" */

/** A break shorter than this is not worth a notice. */
const NOTICE_AFTER_MS = 1_500;

/**
 * @param {{retryNow: () => void, isBusy: () => boolean, serverTime: (ms: number) => number}} parts
 *   `isBusy`: whether a task goes on
 */
export function createBadge({ retryNow, isBusy, serverTime }) {
  const element = byId("connection");
  const face = element && new Face(element);
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
    if (!connection || !face) return;
    const { phase, transport, why, latencyMs, connectionId, lostAt, failures, retryAt } = connection;
    const [label, detail, long] = ["label", "detail", "long"].map((name) => face.part(name).dataset);
    const live = phase === "live";
    const latency = live && latencyMs !== null ? gettext("%(n)s ms", { n: latencyMs }) : "";
    const polls = live && transport === "poll";
    const seconds = phase === "waiting" ? Math.ceil(((retryAt ?? 0) - Date.now()) / 1000) : 0;
    const name = polls
      ? gettext("Updates every %(n)s s", { n: isBusy() ? 2 : 10 })
      : label[phase === "connecting" && failures > 0 ? "waiting" : phase] ?? "";
    const more = [detail[live ? transport : phase], latency].filter(Boolean).join(" · ");
    face.mark({ phase, transport });
    face.tell({
      label: name,
      detail: polls ? "" : seconds > 0 ? gettext("retry in %(n)s s", { n: seconds }) : more,
      long: live ? `${name} · ${long[transport]}` : name,
      id: connectionId ?? "–",
      latency: latency || "–",
    });
    face.reveal({ why: why !== null });
    if (face.isNew("reason", why)) reveal(face.part("why"), "why", why);
    if (retry) retry.hidden = phase !== "waiting" && phase !== "offline";
    const sentence = noticeFor(connection);
    if (face.isNew("notice", sentence)) showNotice(sentence, lostAt ?? 0);
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
  function noticeFor({ phase, reason, lostAt }) {
    if (phase === "stopped") return reason;
    if (lostAt === null || Date.now() - lostAt < NOTICE_AFTER_MS) return null;
    return phase === "offline" ? phase : isBusy() ? "busy" : "idle";
  }

  on(retry, "click", retryNow);

  return { show, tick };
}

/** @typedef {ReturnType<typeof createBadge>} Badge */

/**
 * Of several sentences show the one of that name.
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
