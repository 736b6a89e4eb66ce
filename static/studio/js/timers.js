// @ts-check
/** One timer per purpose: setting it again replaces it, and all of them can be dropped at once. */

export class Timers {
  /** @type {Map<string, unknown>} */
  #running = new Map();
  #clock;

  /**
   * @param {{setTimeout: (run: () => void, ms: number) => unknown, clearTimeout: (timer: any) => void}} clock
   */
  constructor(clock) {
    this.#clock = clock;
  }

  /**
   * @param {string} purpose
   * @param {number} ms
   * @param {() => void} run
   */
  set(purpose, ms, run) {
    this.clear(purpose);
    const timer = this.#clock.setTimeout(() => {
      this.#running.delete(purpose);
      run();
    }, ms);
    this.#running.set(purpose, timer);
  }

  /** @param {string} purpose */
  clear(purpose) {
    if (this.#running.has(purpose)) this.#clock.clearTimeout(this.#running.get(purpose));
    this.#running.delete(purpose);
  }

  clearAll() {
    for (const purpose of [...this.#running.keys()]) this.clear(purpose);
  }
}
