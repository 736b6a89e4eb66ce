// @ts-check
/** One timer per purpose: setting it again replaces it, and all of them can be dropped at once. */

/**
 * @param {{setTimeout: (run: () => void, ms: number) => unknown, clearTimeout: (timer: any) => void}} clock
 */
export function createTimers(clock) {
  /** @type {Map<string, unknown>} */
  const running = new Map();

  /**
   * @param {string} purpose
   * @param {number} ms
   * @param {() => void} run
   */
  function set(purpose, ms, run) {
    clear(purpose);
    const timer = clock.setTimeout(() => {
      running.delete(purpose);
      run();
    }, ms);
    running.set(purpose, timer);
  }

  /** @param {string} purpose */
  function clear(purpose) {
    if (running.has(purpose)) clock.clearTimeout(running.get(purpose));
    running.delete(purpose);
  }

  function clearAll() {
    for (const purpose of [...running.keys()]) clear(purpose);
  }

  return { set, clear, clearAll };
}

/** @typedef {ReturnType<typeof createTimers>} Timers */
