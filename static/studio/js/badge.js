// @ts-check
/** The connection badge, the retry button and the notice below the bar. */

import { part, setAttribute, setText } from "./dom.js";
import { timeOfDay } from "./format.js";
import { fill, gettext } from "./i18n.js";

/** @import {Rung, Why} from "./ladder.js" */
/** @import {Connection} from "./socket.js" */

/** A break shorter than this is not worth a notice. */
const NOTICE_AFTER_MS = 1_500;

export class Badge {
  #badge = document.getElementById("connection");
  #retry = document.getElementById("retry-now");
  #notice = document.getElementById("notice");
  /** @type {Connection | null} */
  #connection = null;
  #unfinished;
  #serverTime;

  /**
   * @param {{retryNow: () => void, unfinished: () => number, serverTime: (ms: number) => number}} parts
   */
  constructor({ retryNow, unfinished, serverTime }) {
    this.#unfinished = unfinished;
    this.#serverTime = serverTime;
    this.#retry?.addEventListener("click", retryNow);
  }

  /** @param {Connection} connection */
  show(connection) {
    this.#connection = connection;
    this.tick();
  }

  tick() {
    const connection = this.#connection;
    if (!connection || !this.#badge) return;
    const words = describe(connection, this.#unfinished() > 0);
    setAttribute(this.#badge, "data-phase", connection.phase);
    setAttribute(this.#badge, "data-rung", connection.rung);
    setText(part(this.#badge, "label"), words.label);
    setText(part(this.#badge, "detail"), words.detail);
    setText(part(this.#badge, "long"), connection.phase === "live" ? `${words.label} · ${rungName(connection.rung)}` : words.label);
    const why = part(this.#badge, "why");
    setText(why, connection.why ? whyWords(connection.why) : "");
    why.hidden = !connection.why;
    setText(part(this.#badge, "id"), connection.connectionId ?? "–");
    const latency = connection.latencyMs;
    setText(part(this.#badge, "latency"), latency === null ? "–" : fill(gettext("%(n)s ms"), { n: latency }));
    if (this.#retry) this.#retry.hidden = connection.phase !== "waiting" && connection.phase !== "offline";
    this.#tickNotice(connection);
  }

  /** @param {Connection} connection */
  #tickNotice(connection) {
    if (!this.#notice) return;
    const words = noticeWords(connection, this.#unfinished(), this.#serverTime);
    this.#notice.hidden = words === null;
    if (!words) return;
    setAttribute(this.#notice, "data-tone", words.tone);
    setText(part(this.#notice, "lead"), words.lead);
    setText(part(this.#notice, "text"), words.text);
    const link = part(this.#notice, "link");
    link.hidden = !words.link;
    if (words.link) {
      setText(link, words.link);
      setAttribute(link, "href", location.href);
    }
  }
}

/**
 * @param {Connection} connection
 * @param {boolean} busy whether a task goes on
 */
function describe(connection, busy) {
  switch (connection.phase) {
    case "live": return liveWords(connection, busy);
    case "waiting":
      return { label: gettext("Reconnecting"), detail: countdown(connection) };
    case "offline":
      return { label: gettext("Offline"), detail: gettext("goes on when the network is back") };
    case "stopped":
      return { label: gettext("Not connected"), detail: "" };
    default:
      return { label: connection.failures > 0 ? gettext("Reconnecting") : gettext("Connecting"), detail: "" };
  }
}

/**
 * @param {Connection} connection
 * @param {boolean} busy
 */
function liveWords({ rung, latencyMs }, busy) {
  if (rung === "poll") return { label: fill(gettext("Updates every %(n)s s"), { n: busy ? 2 : 10 }), detail: "" };
  const way = rung === "sse" ? gettext("over SSE") : "WebSocket";
  return { label: gettext("Live"), detail: latencyMs === null ? way : `${way} · ${fill(gettext("%(n)s ms"), { n: latencyMs })}` };
}

/** @param {Rung} rung */
function rungName(rung) {
  return { ws: "WebSocket", sse: gettext("event stream (SSE)"), poll: gettext("asking again and again") }[rung];
}

/** @param {Why} why */
function whyWords(why) {
  return {
    blocked: gettext("WebSocket does not get through here. Nothing is missed; the page tries it again by itself."),
    held_back: gettext("Neither WebSocket nor an event stream gets through here. Nothing is missed; the page tries them again by itself."),
    too_many: gettext("WebSocket does not get through here, and other tabs use the event streams you may have. Nothing is missed."),
    earlier: gettext("WebSocket did not get through before in this tab. Nothing is missed; the page tries it again by itself."),
  }[why];
}

/** @param {Connection} connection */
function countdown({ retryAt }) {
  const seconds = Math.ceil(((retryAt ?? 0) - Date.now()) / 1000);
  return seconds > 0 ? fill(gettext("again in %(n)s s"), { n: seconds }) : "";
}

/**
 * @param {Connection} connection
 * @param {number} unfinished
 * @param {(ms: number) => number} serverTime
 * @returns {{tone: "wait" | "fail", lead: string, text: string, link?: string} | null}
 */
function noticeWords(connection, unfinished, serverTime) {
  if (connection.phase === "stopped") return stoppedWords(connection);
  const { lostAt } = connection;
  if (lostAt === null || Date.now() - lostAt < NOTICE_AFTER_MS) return null;
  if (connection.phase === "offline") {
    return {
      tone: "fail",
      lead: gettext("This device is offline."),
      text: gettext("Tasks already sent go on at the server. Your draft is kept here."),
    };
  }
  const text = unfinished
    ? fill(gettext("Your tasks go on at the server. Figures stopped at %(time)s and catch up on reconnect."), {
        time: timeOfDay(serverTime(lostAt)),
      })
    : gettext("What you send now waits here and goes out on reconnect.");
  return { tone: "wait", lead: gettext("The connection is lost."), text };
}

/**
 * @param {Connection} connection
 * @returns {{tone: "wait" | "fail", lead: string, text: string, link?: string} | null}
 */
function stoppedWords({ reason }) {
  if (reason === "sign_in") {
    return {
      tone: "fail",
      lead: gettext("You are signed out."),
      text: gettext("Tasks go on at the server. Sign in again to follow them; your draft is kept here."),
      link: gettext("Sign in"),
    };
  }
  if (reason === "refused") {
    return {
      tone: "fail",
      lead: gettext("The server refused this page."),
      text: gettext("The account is disabled, or this address is not the one the server is set up for. Ask the operator."),
    };
  }
  if (reason === "protocol") {
    return {
      tone: "wait",
      lead: gettext("The studio was updated."),
      text: gettext("Reload the page to go on; your draft is kept here."),
      link: gettext("Reload"),
    };
  }
  return null;
}
