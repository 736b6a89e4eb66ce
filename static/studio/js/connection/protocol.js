// @ts-check
/** Wire protocol, version 1: what travels over /ws/generate, and the constants that go with it. */

export const PROTOCOL_VERSION = 1;

/** @type {readonly StepName[]} The seven steps, in the order they pass. */
export const STEPS = [
  "parsing", "loading", "preparing", "generating", "decoding", "finishing", "completed",
];

export const CLOSE = {
  NOT_SIGNED_IN: 4401,
  REFUSED: 4403,
  TOO_SLOW: 4408,
  FLOODING: 4429,
  LEAVING: 4503,
};

/** Our own close code: the server stopped answering and we hang up. */
export const CLOSE_SILENT = 4000;

const TERMINAL = new Set(["completed", "failed", "cancelled"]);

/** @param {string} status */
export const isTerminal = (status) => TERMINAL.has(status);

/** Key of a picture: "task:index". @param {string} taskId @param {{index: number}} picture */
export const pictureKey = (taskId, { index }) => `${taskId}:${index}`;

/** The task of a picture. @param {string} key */
export const taskOf = (key) => key.slice(0, key.lastIndexOf(":"));

/** A new random UUID; `randomUUID` exists on https and localhost only. */
export function newRequestKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [0, 8, 12, 16, 20].map((from, i) => hex.slice(from, [8, 12, 16, 20, 32][i])).join("-");
}

/**
 * @typedef {"queued" | "running" | "completed" | "failed" | "cancelled"} Status
 * @typedef {"parsing" | "loading" | "preparing" | "generating" | "decoding" | "finishing" | "completed"} StepName
 * @typedef {"measured" | "estimated"} Basis
 * @typedef {"now" | "step" | "picture"} Stops
 * @typedef {"submitted" | "claimed" | "step_began" | "progressed" | "image_stored" | "delayed" | "cancel_requested" | "interrupted" | "completed" | "failed" | "cancelled"} EventKind
 */

/**
 * @typedef {object} Picture
 * @property {number} index
 * @property {string} url
 * @property {string} thumbnail_url
 * @property {number} width
 * @property {number} height
 * @property {number} seed
 * @property {boolean} demo drawn by the built-in demo model
 * @property {true} [withheld] its files are not served
 * @property {boolean} [favourite] pages add it; frames are without
 * @property {{state: "held" | "hidden", reason: string, note: string, appeal: string}} [notice] why it is withheld; frames are without
 */

/**
 * @typedef {object} Task what never changes about a task
 * @property {string} prompt
 * @property {string} negative_prompt
 * @property {string} model
 * @property {number} width
 * @property {number} height
 * @property {number} n
 * @property {number} steps
 * @property {number} guidance
 * @property {number | null} seed
 * @property {string | null} parent
 * @property {number} created Unix seconds
 * @property {string | null} request_key
 * @property {number | null} cancel_after Unix seconds at which it is cancelled unless it is over
 * @property {Partial<Record<StepName, number>>} expected seconds; the last four per picture
 * @property {number} [prompt_removed_at] Unix seconds; both prompts are empty since
 * @property {number} [log_pruned_at] Unix seconds; the log is shorter since, and numbered from 1 again
 */

/**
 * @typedef {object} EventFrame
 * @property {"progress" | "result" | "error" | "cancelled"} type
 * @property {string} task_id
 * @property {number} seq
 * @property {EventKind} kind
 * @property {Status} status
 * @property {StepName} step
 * @property {string} message
 * @property {number} progress 0 to 100
 * @property {Basis} basis
 * @property {number | null} eta_seconds
 * @property {number} attempt
 * @property {number} image
 * @property {Record<string, any>} details
 * @property {number} timestamp Unix seconds
 * @property {string} [code]
 */

/**
 * @typedef {object} StepSpan
 * @property {number} attempt
 * @property {number} image
 * @property {StepName} step
 * @property {number} began Unix seconds
 * @property {number | null} ended
 * @property {boolean} observed
 */

/**
 * @typedef {object} Interruption
 * @property {number} attempt
 * @property {string} reason
 * @property {StepName} step
 * @property {number} progress
 * @property {number} at
 */

/**
 * @typedef {object} TaskState the fold of a task's log up to `seq`
 * @property {string} task_id
 * @property {number} seq
 * @property {Status} status
 * @property {StepName} step
 * @property {number} progress
 * @property {Basis} basis
 * @property {number | null} eta_seconds
 * @property {number} attempt
 * @property {number} image
 * @property {number | null} fraction
 * @property {number | null} done
 * @property {number | null} total
 * @property {number | null} seed
 * @property {Stops | null} cancel_requested
 * @property {string | null} cancel_reason why, if no user cancelled it
 * @property {{reason: string, until: number} | null} waiting
 * @property {{code: string, step: StepName, message: string} | null} error
 * @property {Picture[]} images
 * @property {StepSpan[]} timeline
 * @property {Interruption[]} interruptions
 * @property {number | null} submitted_at
 * @property {number | null} claimed_at
 * @property {number | null} ended_at
 * @property {number | null} wait_seconds
 * @property {number | null} run_seconds
 * @property {number | null} updated_at
 */

/**
 * @typedef {object} QueueEntry
 * @property {number} position counts from 1; 1001 behind the 1,000th task
 * @property {number | null} eta_seconds
 * @property {Basis} basis
 * @property {string} reason
 */

/**
 * @typedef {object} Model
 * @property {string} name
 * @property {boolean} ready
 * @property {number} replicas
 * @property {string | null} reason
 * @property {number | null} seconds_per_step of 512 × 512 pixels; null = not measured yet
 * @property {Record<"loading" | "preparing" | "generating" | "decoding" | "finishing", number> | null} expected seconds
 *   of 512 × 512 pixels in 9 steps, all but `loading` per picture; null = not measured yet
 * @property {QueueEntry} wait of a new task of this person
 */

/**
 * @typedef {object} CollectionChange
 * @property {"favourite" | "deleted" | "restored" | "reviewed"} change
 * @property {string[]} pictures keys, "task:index"
 * @property {string[]} tasks ids
 * @property {boolean} [favourite]
 */

/** @typedef {{revision: number} & Partial<CollectionChange>} CollectionFrame without a change: some was missed */

/** @typedef {Record<"active" | "completed" | "stopped", number>} Counts tasks by what the filters of the task list are called */

/**
 * @typedef {object} Embedded a task in the JSON of the page; `readTask` adds what it leaves out
 * @property {string} id
 * @property {Omit<Task, "negative_prompt" | "seed" | "parent" | "request_key"> & Partial<Task>} task without `prompt` if its card is in the HTML
 * @property {Partial<TaskState>} state without defaults
 */

/**
 * @typedef {object} Bootstrap the JSON that the page was rendered with
 * @property {number} protocol
 * @property {string} socket_path
 * @property {string} username
 * @property {boolean} demo
 * @property {{lines: number, named: number}} limits prompts sent at once; tasks named in one URL
 * @property {Embedded[]} tasks
 * @property {Record<string, QueueEntry>} queue
 * @property {number} collection revision of what is kept, when the page was made
 * @property {Counts} [others] the person's tasks that are not among `tasks`; the studio has it
 * @property {{model: string, prompt: string, width: number, height: number, n: number, steps: number, guidance: number}} defaults
 * @property {{task: string, data: Task, seed: number | null, thumbnail: string}} [from] the picture to vary
 * @property {Model[]} models
 * @property {number} server_time
 */

/** @typedef {{limit: number, left: number, renews_at: number | null}} Limit `renews_at` in Unix seconds */

/** @typedef {Record<string, Limit>} Limits by kind; an absent kind is unlimited */

/** @typedef {Limit & {kind: string}} ReachedLimit */

/**
 * @typedef {object} Refusal an `error` frame without `seq`: a message was not taken
 * @property {string} code
 * @property {string} message
 * @property {string} [field]
 * @property {string} [request_key]
 * @property {string} [task_id]
 * @property {ReachedLimit & {words?: string[]}} [data] the limit for which it was refused; or the words
 */

/** @typedef {{action: string, request_key?: string, task_id?: string, [field: string]: unknown}} ClientMessage */
