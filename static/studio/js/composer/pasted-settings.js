// @ts-check
/** The settings of a picture as text: what the studio and other tools write into a picture's metadata. */

/**
 * @typedef {object} Pasted what the text names, as it is written there; nothing is cut to fit
 * @property {string} [prompt]
 * @property {string} [negative_prompt]
 * @property {string} [steps]
 * @property {string} [guidance]
 * @property {string} [seed]
 * @property {string} [model]
 * @property {[width: string, height: string]} [size]
 */

import { gettext } from "../lib/i18n.js";
import { toast } from "../ui/messages.js";

/** @import {Fields} from "./composer-fields.js" */

const NEGATIVE = "Negative prompt:";
const PAIR = /\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)/g;
/** Fewer pairs in a last line are a sentence with a colon. */
const LEAST_PAIRS = 3;

/**
 * Lines of prompt, lines of negative prompt, then one line of `key: value` pairs.
 *
 * @param {string} text
 * @returns {Pasted | null} null if it is no such text
 */
export function readSettings(text) {
  const lines = text.replaceAll("\r\n", "\n").trim().split("\n");
  const pairs = pairsOf(lines.pop() ?? "");
  if (pairs.size < LEAST_PAIRS || !pairs.has("Steps")) return null;
  const at = lines.findIndex((line) => line.trimStart().startsWith(NEGATIVE));
  const negative = at < 0 ? [] : lines.splice(at);
  const size = /^(\d+)\s*[x×]\s*(\d+)$/.exec(pairs.get("Size") ?? "");
  const read = {
    prompt: pairs.get("Prompt") ?? lines.join("\n").trim(),
    negative_prompt: pairs.get("Negative prompt") ?? negative.join("\n").trim().slice(NEGATIVE.length).trim(),
    steps: pairs.get("Steps"),
    guidance: pairs.get("CFG scale"),
    seed: pairs.get("Seed"),
    model: pairs.get("Model"),
    size: size ? [size[1], size[2]] : undefined,
  };
  return /** @type {Pasted} */ (Object.fromEntries(Object.entries(read).filter(([, value]) => value)));
}

/**
 * Fill in what a pasted text names, and offer to take that back.
 *
 * @param {Fields} fields
 * @param {string} text
 * @param {() => void} asText pastes it as it is
 * @returns {boolean} false: the text holds no settings
 */
export function fillIn(fields, text, asText) {
  const read = readSettings(text);
  if (!read) return false;
  const before = { values: fields.values, locked: fields.locked };
  const { size, ...named } = read;
  setAll(fields, named);
  if (size) fields.setSize(Number(size[0]), Number(size[1]));
  if (named.seed) fields.locked = true;
  toast(gettext("Settings filled in from the pasted text"), "plain", {
    label: gettext("Paste as text"),
    run: () => {
      setAll(fields, before.values);
      fields.locked = before.locked;
      asText();
    },
  });
  return true;
}

/**
 * @param {Fields} fields
 * @param {Record<string, string>} values what is not named stays
 */
function setAll(fields, values) {
  for (const [name, value] of Object.entries(values)) fields.set(name, value);
}

/** @param {string} line */
function pairsOf(line) {
  return new Map([...line.matchAll(PAIR)].map(([, name, value]) => [name, unquoted(value.trim())]));
}

/** @param {string} value */
function unquoted(value) {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return value; // a quote that is a part of it
  }
}
