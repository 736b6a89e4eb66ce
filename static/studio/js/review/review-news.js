// @ts-check
/** Asks again and again what is new; the server answers when there is something, or after a while. */

import { Refused, getJson } from "./review-requests.js";

/** @typedef {{cursor: [number, number], counts: Record<string, string>, summary: string, hour: string,
 *   reviews: import("./review-reducer.js").Outcome[]}} News */

const FIRST_PAUSE_MS = 2_000;
const MAX_PAUSE_MS = 30_000;

/**
 * @param {string} address
 * @param {[number, number]} cursor ids of the newest decision and of the newest picture
 * @param {(news: News, hasPictures: boolean) => void} apply
 * @param {(live: boolean) => void} setLive
 */
export async function followNews(address, cursor, apply, setLive) {
  let [review, picture] = cursor;
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    try {
      await visible();
      const news = /** @type {News} */ (await getJson(`${address}?review=${review}&picture=${picture}`));
      const hasPictures = news.cursor[1] > picture;
      [review, picture] = news.cursor;
      setLive(true);
      apply(news, hasPictures);
      pause = FIRST_PAUSE_MS;
    } catch (error) {
      setLive(false);
      // signed out, or no longer a reviewer: only a reload helps
      if (error instanceof Refused && [401, 403, 404].includes(error.status)) return;
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
      pause = Math.min(MAX_PAUSE_MS, 2 * pause);
    }
  }
}

/** Resolves once the page is visible. */
const visible = () =>
  new Promise((resolve) => {
    if (!document.hidden) return resolve(null);
    document.addEventListener("visibilitychange", () => resolve(null), { once: true });
  });
