/** A server for the socket under test, and a clock it can be moved along with. Both are the parts
 *  that StudioSocket takes as parameters in the browser. */

import { TransportUpgrade } from "../../static/studio/js/connection/fallback-transports.js";
import { createTransports } from "../../static/studio/js/connection/transport-choice.js";
import { createTaskStore } from "../../static/studio/js/state/task-store.js";
import { createPendingRequests } from "../../static/studio/js/state/pending-requests.js";
import { createSocket } from "../../static/studio/js/connection/reconnecting.js";

/** One end of a connection, with the surface of a WebSocket. */
export class Channel extends EventTarget {
  closed = null;
  sent = [];

  constructor(transport) {
    super();
    this.transport = transport;
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close(code) {
    this.closed = code;
  }

  /** What arrived since the last call. */
  take(action) {
    const taken = this.sent.filter((message) => !action || message.action === action);
    this.sent = this.sent.filter((message) => action && message.action !== action);
    return taken;
  }

  sends(frame) {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));
  }

  hello(active = [], protocol = 1) {
    this.sends({ type: "hello", protocol, connection_id: "c1", server_time: 1_800_000_000, active });
  }

  pong(cursors = {}) {
    this.sends({ type: "pong", cursors, server_time: 1_800_000_000 });
  }

  breaks(code) {
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

export class Clock {
  now = 1_000_000;
  #timers = new Map();
  #next = 1;

  setTimeout = (run, ms) => {
    this.#timers.set(this.#next, { run, at: this.now + ms });
    return this.#next++;
  };

  clearTimeout = (timer) => this.#timers.delete(timer);

  /** Let `ms` pass; timers run in order, at their own time. */
  pass(ms) {
    const until = this.now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, t]) => t.at <= until).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.now = Math.max(this.now, due[1].at);
      due[1].run();
    }
    this.now = until;
  }
}

export class Memory {
  #values = new Map();
  getItem = (name) => this.#values.get(name) ?? null;
  setItem = (name, value) => this.#values.set(name, value);
  removeItem = (name) => this.#values.delete(name);
}

/** A page with its socket; `received` collects the frames of the page. */
export function aPage(options = {}) {
  const page = aClosedPage(options);
  page.socket.start();
  return page;
}

/** The same before it connects; `online`: whether anything at all gets through. */
export function aClosedPage({ store = new Memory(), owner = "liujuan", random = () => 0.5, wants = () => true } = {}) {
  const clock = new Clock();
  const channels = [];
  const received = { phases: [], changed: [], learned: [], forgotten: [], accepted: [], refused: [], answers: [], caughtUp: [], collection: [], reconnected: 0 };
  const taskStore = createTaskStore(wants);
  const requests = createPendingRequests(store, owner);
  const page = { clock, channels, received, taskStore, requests, store, online: true, channel: () => channels.at(-1) };
  const make = (transport) => () => {
    channels.push(new Channel(transport));
    return channels.at(-1);
  };
  page.transports = createTransports({
    ws: make("ws"),
    load: async () => ({ makers: { sse: make("sse"), poll: make("poll") }, isReachable: async () => page.online, Upgrade: TransportUpgrade }),
    store,
    clock,
  });
  page.socket = createSocket({
    transports: page.transports,
    taskStore,
    requests,
    listener: {
      connectionChanged: ({ phase }) => phase !== received.phases.at(-1) && received.phases.push(phase),
      taskAdded: (taskId) => received.learned.push(taskId),
      taskChanged: (taskId, frame, live) => received.changed.push([taskId, frame.seq, live]),
      taskRemoved: (taskId) => received.forgotten.push(taskId),
      queueChanged: () => {},
      accepted: (message, answer) => received.accepted.push({ ...answer, key: message.request_key }),
      refused: (message, refusal) => received.refused.push([message?.request_key ?? null, refusal.code]),
      cancelAnswered: (taskId, answer) => received.answers.push([taskId, answer]),
      caughtUp: (events) => received.caughtUp.push(events),
      serverTimeReceived: () => {},
      collectionChanged: (frame) => received.collection.push(frame.revision),
      reconnected: () => (received.reconnected += 1),
    },
    env: {
      now: () => clock.now,
      random,
      setTimeout: clock.setTimeout,
      clearTimeout: clock.clearTimeout,
      isOnline: () => page.online,
    },
  });
  return page;
}

/** Let everything that only waits for promises go on. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

export const generate = (key, prompt = "LiuJuan") => ({ action: "generate", prompt, request_key: key });
