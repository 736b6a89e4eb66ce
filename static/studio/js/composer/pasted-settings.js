// @ts-check
/** Settings of a picture as text, as the studio and other tools write them into metadata. */

/**
 * @typedef {object} Pasted the settings in the text, unchanged
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
/** A last line with fewer pairs is a sentence with colons. */
const LEAST_PAIRS = 3;

/**
 * Lines of prompt, lines of negative prompt, then one line of `key: value` pairs.
 *
 * @param {string} text
 * @returns {Pasted | null} null if the text has no settings
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
 * Fill in the settings of a pasted text, and offer an undo.
 *
 * @param {Fields} fields
 * @param {string} text
 * @param {() => void} asText pastes the text unchanged
 * @returns {boolean} false: the text has no settings
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
 * @param {Record<string, string>} values other fields are unchanged
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
    return value; // the quote is part of the value
  }
}
