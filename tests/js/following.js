import { log, task } from "./logs.js";
import { aPage } from "./server.js";

/** A page that knows task "t" up to its first `seq` events, connected. */
export function following(seq, options = {}) {
  const page = aPage(options);
  const frames = log("t").whole();
  page.taskStore.addTask("t", task());
  for (const frame of frames.slice(0, seq)) page.taskStore.apply(frame);
  page.channel().hello([{ task_id: "t", seq }]);
  return { ...page, page, frames };
}

/** What the server sends of task "t" after an attach. */
export function replay(channel, frames) {
  for (const frame of frames) channel.sends(frame);
  channel.sends({ type: "live", task_id: "t", seq: frames.at(-1)?.seq ?? 0 });
}
