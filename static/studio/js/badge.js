// @ts-check
/** The connection badge, the retry button and the notice below the bar; their sentences are in the page. */

import { Face } from "./dom.js";
import { timeOfDay } from "./format.js";
import { gettext } from "./i18n.js";

/** @import {Connection} from "./socket.js" */

/** A break shorter than this is not worth a notice. */
const NOTICE_AFTER_MS = 1_500;

export class Badge {
  #badge = document.getElementById("connection");
  #face = this.#badge && new Face(this.#badge);
  #retry = document.getElementById("retry-now");
  #notice = document.getElementById("notice");
  /** @type {Connection | null} */
  #connection = null;
  #isBusy;
  #serverTime;

  /**
   * @param {{retryNow: () => void, isBusy: () => boolean, serverTime: (ms: number) => number}} parts
   *   `isBusy`: whether a task goes on
   */
  constructor({ retryNow, isBusy, serverTime }) {
    this.#isBusy = isBusy;
    this.#serverTime = serverTime;
    this.#retry?.addEventListener("click", retryNow);
  }

  /** @param {Connection} connection */
  show(connection) {
    this.#connection = connection;
    this.tick();
  }

  tick() {
    const [connection, face] = [this.#connection, this.#face];
    if (!connection || !face) return;
    const { phase, rung, why, latencyMs, connectionId, lostAt, failures, retryAt } = connection;
    const [label, detail, long] = ["label", "detail", "long"].map((name) => face.part(name).dataset);
    const live = phase === "live";
    const latency = live && latencyMs !== null ? gettext("%(n)s ms", { n: latencyMs }) : "";
    const polls = live && rung === "poll";
    const seconds = phase === "waiting" ? Math.ceil(((retryAt ?? 0) - Date.now()) / 1000) : 0;
    const name = polls
      ? gettext("Updates every %(n)s s", { n: this.#isBusy() ? 2 : 10 })
      : label[phase === "connecting" && failures > 0 ? "waiting" : phase] ?? "";
    const more = [detail[live ? rung : phase], latency].filter(Boolean).join(" · ");
    face.mark({ phase, rung });
    face.tell({
      label: name,
      detail: polls ? "" : seconds > 0 ? gettext("again in %(n)s s", { n: seconds }) : more,
      long: live ? `${name} · ${long[rung]}` : name,
      id: connectionId ?? "–",
      latency: latency || "–",
    });
    face.reveal({ why: why !== null });
    if (face.isNew("reason", why)) reveal(face.part("why"), "why", why);
    if (this.#retry) this.#retry.hidden = phase !== "waiting" && phase !== "offline";
    const notice = this.#noticeFor(connection);
    if (face.isNew("notice", notice)) this.#notify(notice, lostAt ?? 0);
  }

  /**
   * @param {string | null} name
   * @param {number} lostAt ms
   */
  #notify(name, lostAt) {
    const notice = this.#notice;
    const shown = notice && reveal(notice, "notice", name);
    notice?.toggleAttribute("hidden", !shown);
    notice?.setAttribute("data-tone", shown?.dataset.tone ?? "wait");
    const time = shown?.querySelector("time");
    if (time) time.textContent = timeOfDay(this.#serverTime(lostAt));
  }

  /** @param {Connection} connection */
  #noticeFor({ phase, reason, lostAt }) {
    if (phase === "stopped") return reason;
    if (lostAt === null || Date.now() - lostAt < NOTICE_AFTER_MS) return null;
    return phase === "offline" ? phase : this.#isBusy() ? "busy" : "idle";
  }
}

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
