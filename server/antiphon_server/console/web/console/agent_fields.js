/**
 * The fields of a stored agent: what each is (docs/reference/rest.md), how it is read from an
 * agent and how it goes back. `param` is the path by which REST names what is wrong.
 */

/**
 * @typedef {object} Field
 * @property {string} param
 * @property {string} name
 * @property {string} says
 * @property {"line" | "text" | "number" | "choice" | "switch" | "lines" | "json" | "models" | "providers"} kind
 * @property {[string, string][]} [choices] value and words; "" is null
 * @property {number} [least]
 * @property {number} [most] of a number, or of characters
 * @property {number} [step]
 * @property {boolean} [required]
 * @property {string} [unit]
 * @property {string} [example] where nothing is written
 * @property {boolean} [emptyIsNull] what is empty is none
 */

/** What is written in the form cannot be sent. */
export class Wrong extends Error {}

/** @type {Field[]} */
const WHO = [
  { param: "name", name: "Name", says: "For people.", kind: "line", most: 512, required: true },
  { param: "system_prompt", name: "Prompt", says: "Who the agent is and what it does; the model reads it.", kind: "text", most: 131_072, required: true },
  { param: "greeting", name: "Greeting", says: "Spoken word for word at the start. Empty: it listens first.", kind: "text", most: 131_072, emptyIsNull: true },
  { param: "voice.voice_id", name: "Voice", says: "The voice that speaks.", kind: "choice", required: true, choices: [] },
  { param: "output.volume", name: "Volume", says: "Empty: as the voice speaks.", kind: "number", least: 0, most: 100, step: 1, unit: "%" },
];

/** @type {Field[]} */
const HEARS = [
  { param: "input.keyterms", name: "Key terms", says: "Words to expect, such as names: one a line, up to 100.", kind: "lines" },
  {
    param: "input.transcription_mode",
    name: "Transcription",
    says: "Speed against care in ending turns.",
    kind: "choice",
    choices: [["", "Balanced (default)"], ["balanced", "Balanced"], ["min_latency", "Least latency"], ["max_accuracy", "Most accuracy"]],
  },
  { param: "input.transcription_prompt", name: "What it is about", says: "What the conversation is about, for recognition.", kind: "text", most: 1750, emptyIsNull: true },
  { param: "input.language_codes", name: "Languages", says: "Languages to expect, such as en: one a line. Empty: they are detected.", kind: "lines" },
  {
    param: "input.voice_focus",
    name: "Voice focus",
    says: "Noise suppression.",
    kind: "choice",
    choices: [["", "Off"], ["near-field", "Near field: a headset, a phone at the ear"], ["far-field", "Far field: a room"]],
  },
  { param: "input.voice_focus_threshold", name: "Strength of the voice focus", says: "How strongly it acts, from 0 to 1.", kind: "number", least: 0, most: 1, step: 0.05 },
];

/** Only where turns are ended by fixed windows. @type {Field[]} */
const TURNS = [
  { param: "input.turn_detection.vad_threshold", name: "Threshold of speech", says: "Probability of speech above which a window counts as voice.", kind: "number", least: 0, most: 1, step: 0.05, example: "0.5" },
  { param: "input.turn_detection.min_silence", name: "Least silence", says: "Silence after which a finished turn ends.", kind: "number", least: 50, most: 10_000, step: 1, unit: "ms" },
  { param: "input.turn_detection.max_silence", name: "Most silence", says: "Silence after which any turn ends; more than the least.", kind: "number", least: 50, most: 10_000, step: 1, unit: "ms" },
  { param: "input.turn_detection.interruption_delay", name: "Delay of interruptions", says: "Speech before an interruption counts.", kind: "number", least: 0, most: 1000, step: 1, unit: "ms" },
  {
    param: "input.turn_detection.interrupt_response",
    name: "Interruptions",
    says: "Whether the user can interrupt the agent.",
    kind: "choice",
    choices: [["", "As by default"], ["true", "The user can interrupt"], ["false", "The user cannot interrupt"]],
  },
];

/** @type {Field[]} */
const DOES = [
  { param: "tools", name: "Tools", says: "Functions the model may call, as JSON: a list of up to 64. Values of headers are write-only: one that is left out is kept.", kind: "json" },
  { param: "llm", name: "Models", says: "The models that answer instead of the server's own: the first that does, of up to four.", kind: "models" },
  { param: "providers", name: "Providers", says: "Who serves the stages of its sessions instead of the server's own, in order of preference: up to three for each.", kind: "providers" },
  { param: "platform_tools_enabled", name: "Platform tools", says: "Whether the model is given the platform's tools, of which there are none.", kind: "switch" },
];

/** @type {Field[]} */
const TELEPHONE = [
  { param: "pre_connect_requests", name: "Requests before the call", says: "Asked before a telephone call begins, as JSON: a list of up to two; without effect on a WebSocket session.", kind: "json" },
  { param: "transfer_targets", name: "Transfer targets", says: "Where a telephone call may go, as JSON; without effect on a WebSocket session.", kind: "json" },
  { param: "outbound_trunk_id", name: "Outbound trunk", says: "SIP trunk of transfers.", kind: "line", most: 256, emptyIsNull: true },
  { param: "caller_id", name: "Caller id", says: "Number shown to those who are called, such as +4930123456.", kind: "line", emptyIsNull: true },
];

/** @type {{id: string, title: string, fields: Field[], open?: boolean}[]} */
export const GROUPS = [
  { id: "who", title: "What it says", fields: WHO, open: true },
  { id: "hears", title: "How it listens", fields: HEARS },
  { id: "turns", title: "When turns end", fields: TURNS },
  { id: "does", title: "Tools, models and providers", fields: DOES },
  { id: "telephone", title: "Telephone", fields: TELEPHONE },
];

/** What the server adds when it tells an agent, and nobody can set. */
const TOLD = new Set(["id", "last_set_at"]);

/**
 * A value without what the server only tells, as it may be written again.
 *
 * @param {any} value
 * @returns {any}
 */
export function writable(value) {
  if (Array.isArray(value)) return value.map(writable);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, inner]) => !TOLD.has(name) && inner !== null)
      .map(([name, inner]) => [name, name === "parameters" ? inner : writable(inner)]),
  );
}

/**
 * What lies at a path such as `input.turn_detection.min_silence`.
 *
 * @param {any} from
 * @param {string} path
 */
export function at(from, path) {
  return path.split(".").reduce((inner, name) => inner?.[name], from);
}

/**
 * Puts a value there, into objects that are made as they are needed; undefined takes it away.
 *
 * @param {any} into
 * @param {string} path
 * @param {unknown} value
 */
export function put(into, path, value) {
  const names = path.split(".");
  const last = names.pop() ?? "";
  const inner = names.reduce((one, name) => (one[name] ??= {}), into);
  if (value === undefined) delete inner[last];
  else inner[last] = value;
}

/**
 * The body that makes of a stored agent what the form says: what did not change is left out.
 *
 * @param {Record<string, any>} before
 * @param {Record<string, any>} after
 */
export function changes(before, after) {
  return Object.fromEntries(
    Object.entries(after).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])),
  );
}
