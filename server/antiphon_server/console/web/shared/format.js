/** Numbers and times as people read them, in the browser's own language where that is safe. */

const NUMBER = new Intl.NumberFormat();
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** What is shown where nothing is known. */
export const NOTHING = "–";

/**
 * Milliseconds: `640 ms`, `1.24 s` from two seconds on only where it is long.
 *
 * @param {number | null | undefined} value
 * @returns {string}
 */
export function ms(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  if (Math.abs(value) >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  if (Math.abs(value) < 10 && value !== 0) return `${value.toFixed(1)} ms`;
  return `${NUMBER.format(Math.round(value))} ms`;
}

/**
 * A length of time in seconds: `8 s`, `2 min 05 s`, `1 h 04 min`.
 *
 * @param {number | null | undefined} value
 * @returns {string}
 */
export function duration(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const seconds = Math.max(0, Math.round(value));
  if (seconds < 60) return `${seconds} s`;
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
}

/**
 * A place in a call, from milliseconds: `0:07`, `12:03`.
 *
 * @param {number | null | undefined} value
 * @returns {string}
 */
export function position(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const seconds = Math.max(0, Math.floor(value / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/**
 * @param {number | null | undefined} value
 * @returns {string}
 */
export function number(value) {
  return value === null || value === undefined ? NOTHING : NUMBER.format(value);
}

/**
 * A moment, from what REST calls a time.
 *
 * @param {string | number | null | undefined} value
 * @returns {string}
 */
export function date(value) {
  return value ? DATE.format(new Date(value)) : NOTHING;
}

/**
 * The same to the second, for a title.
 *
 * @param {string | number | null | undefined} value
 * @returns {string}
 */
export function exactDate(value) {
  return value ? EXACT.format(new Date(value)) : "";
}

/**
 * The time of day.
 *
 * @param {string | number | Date} value
 * @returns {string}
 */
export function clock(value) {
  return CLOCK.format(new Date(value));
}

/**
 * `1 turn`, `2 turns`.
 *
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 * @returns {string}
 */
export function plural(count, one, many = `${one}s`) {
  return `${NUMBER.format(count)} ${count === 1 ? one : many}`;
}

/**
 * The beginning of a text, whole characters, with an ellipsis if there was more.
 *
 * @param {string} text
 * @param {number} most
 * @returns {string}
 */
export function clip(text, most) {
  if (text.length <= most) return text;
  let end = most - 1;
  const code = text.charCodeAt(end - 1);
  if (code >= 0xd800 && code < 0xdc00) end -= 1;
  return `${text.slice(0, end)}…`;
}

// Characters that turn the direction of what follows, or that cannot be seen at all.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/**
 * A text in which marks of direction and other invisible characters can be seen, as `⟨U+202E⟩`.
 *
 * @param {string} text
 * @returns {string}
 */
export function seen(text) {
  return text.replace(
    UNSEEN,
    (one) => `⟨U+${one.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`,
  );
}

/**
 * A name of the wire in words: `user_speech` is `User speech`.
 *
 * @param {string} name
 * @returns {string}
 */
export function words(name) {
  const spaced = name.replace(/[_.-]+/g, " ").trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
