/** What a call is to be like, as it is set on the page and kept in this browser. */

/** @typedef {"speak" | "type_hear" | "type_read"} Mode */
/** @typedef {{how: "hand" | "code", code: string}} Answer */

/**
 * @typedef {object} Settings
 * @property {string} agentId a stored agent; "" for what is set here
 * @property {Mode} mode
 * @property {string} systemPrompt
 * @property {string} greeting
 * @property {string} voice "" for the server's default
 * @property {number | null} volume percent; null for the voice's own
 * @property {string} keyterms one a line
 * @property {string} languageCodes with spaces or commas between
 * @property {"" | "min_latency" | "balanced" | "max_accuracy"} transcriptionMode
 * @property {string} transcriptionPrompt
 * @property {"" | "near-field" | "far-field"} voiceFocus
 * @property {number | null} voiceFocusThreshold
 * @property {"adaptive" | "fixed"} turns
 * @property {Turns} fixed what the fixed windows are
 * @property {string} tools a JSON list
 * @property {Record<string, Answer>} answers by the tool's name
 * @property {string} deviceId
 * @property {boolean} echoCancellation
 */

/**
 * @typedef {object} Turns null stands for the server's default
 * @property {number | null} vadThreshold
 * @property {number | null} minSilence ms
 * @property {number | null} maxSilence ms
 * @property {boolean} interruptResponse
 * @property {number | null} interruptionDelay ms
 * @property {string[]} uninterruptibleTurns
 */

const KEY = "antiphon.playground";

/** What the server does where nothing is said; protocol, section 3.2. A test compares them. */
export const TURN_DEFAULTS = Object.freeze({
  vadThreshold: 0.5,
  minSilence: 1000,
  maxSilence: 3000,
  interruptResponse: true,
  interruptionDelay: null,
});

/** The ranges of the protocol, by field; a test compares them. */
export const RANGES = Object.freeze({
  vadThreshold: { min: 0, max: 1, step: 0.05, unit: "" },
  minSilence: { min: 50, max: 10_000, step: 50, unit: "ms" },
  maxSilence: { min: 50, max: 10_000, step: 50, unit: "ms" },
  interruptionDelay: { min: 0, max: 1000, step: 50, unit: "ms" },
  volume: { min: 0, max: 100, step: 5, unit: "%" },
  voiceFocusThreshold: { min: 0, max: 1, step: 0.05, unit: "" },
});

export const MOST_KEYTERMS = 100;
export const MOST_CONTEXT = 1750;
export const PROTECTED_TURNS = Object.freeze(["greeting", "dtmf_prompt", "tool_refused_ask"]);

/** @returns {Settings} */
export function defaults() {
  return {
    agentId: "",
    mode: "speak",
    systemPrompt:
      "You are a friendly assistant on a voice call. Answer in one or two short sentences.",
    greeting: "Hello! What can I do for you?",
    voice: "",
    volume: null,
    keyterms: "",
    languageCodes: "",
    transcriptionMode: "",
    transcriptionPrompt: "",
    voiceFocus: "",
    voiceFocusThreshold: null,
    turns: "adaptive",
    fixed: {
      vadThreshold: null,
      minSilence: null,
      maxSilence: null,
      interruptResponse: true,
      interruptionDelay: null,
      uninterruptibleTurns: [],
    },
    tools: "",
    answers: {},
    deviceId: "",
    echoCancellation: true,
  };
}

/**
 * What was kept, with defaults for what was not or has another type by now.
 *
 * @param {Pick<Storage, "getItem">} storage
 * @returns {Settings}
 */
export function load(storage) {
  let kept;
  try {
    kept = JSON.parse(storage.getItem(KEY) ?? "null");
  } catch {
    kept = null;
  }
  return /** @type {Settings} */ (sameShape(defaults(), kept));
}

/**
 * @param {Pick<Storage, "setItem">} storage
 * @param {Settings} settings
 */
export function save(storage, settings) {
  try {
    storage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // A browser that keeps nothing, or is full: the page works without.
  }
}

/** Where null is a value, a number is one too. */
const NUMBERS = new Set([
  "volume",
  "voiceFocusThreshold",
  "vadThreshold",
  "minSilence",
  "maxSilence",
  "interruptionDelay",
]);

/**
 * @param {any} standard
 * @param {any} kept
 * @param {string} [name]
 * @returns {any}
 */
function sameShape(standard, kept, name = "") {
  if (NUMBERS.has(name)) return typeof kept === "number" ? kept : null;
  if (kept === null || kept === undefined || typeof kept !== typeof standard) return standard;
  if (Array.isArray(standard)) {
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : standard;
  }
  if (typeof standard !== "object") return kept;
  if (name === "answers") return answersOf(kept);
  return Object.fromEntries(
    Object.keys(standard).map((key) => [key, sameShape(standard[key], kept[key], key)]),
  );
}

/**
 * @param {Record<string, any>} kept
 * @returns {Record<string, Answer>}
 */
function answersOf(kept) {
  return Object.fromEntries(
    Object.entries(kept)
      .filter(([, one]) => one && typeof one.code === "string")
      .map(([name, one]) => [name, { how: one.how === "code" ? "code" : "hand", code: one.code }]),
  );
}

/** @param {string} text */
export const lines = (text) =>
  text
    .split("\n")
    .map((one) => one.trim())
    .filter(Boolean);

/** @param {string} text */
export const codes = (text) => text.split(/[\s,;]+/).filter(Boolean);

/**
 * What is wrong with the settings, by field; the server would refuse the call for it.
 *
 * @param {Settings} settings
 * @returns {Record<string, string>}
 */
export function wrongs(settings) {
  /** @type {Record<string, string>} */
  const found = {};
  const terms = lines(settings.keyterms).length;
  if (terms > MOST_KEYTERMS) {
    found.keyterms = `At most ${MOST_KEYTERMS} terms can be expected; these are ${terms}.`;
  }
  if (settings.transcriptionPrompt.length > MOST_CONTEXT) {
    found.transcriptionPrompt = `At most ${MOST_CONTEXT} characters; these are ${settings.transcriptionPrompt.length}.`;
  }
  const { minSilence, maxSilence } = settings.fixed;
  const least = minSilence ?? TURN_DEFAULTS.minSilence;
  if (settings.turns === "fixed" && maxSilence !== null && maxSilence <= least) {
    found.maxSilence = `It has to be longer than the pause after a finished sentence, ${least} ms.`;
  }
  return found;
}
