/** Words of a call, as text: what cannot be seen is made seen, and what is endless is cut. */

import { h } from "../shared/dom.js";
import { clip, NOTHING, seen } from "../shared/format.js";

const FIRST = 140;
export const MOST = 2000;

/**
 * The beginning of a call, for a line of a table.
 *
 * @param {string | null | undefined} text
 */
export function firstWords(text) {
  if (!text) return h("span", { class: "soft" }, "Nobody said anything");
  return h("bdi", { class: "said" }, clip(seen(text), FIRST));
}

/**
 * Somebody's words, with the rest behind a button where there are very many.
 *
 * @param {string} text
 * @param {string} [classes]
 * @param {number} [most]
 * @returns {HTMLElement}
 */
export function spoken(text, classes = "", most = MOST) {
  const whole = seen(text);
  const line = h("bdi", { class: `said ${classes}`.trim() }, clip(whole, most));
  if (whole.length <= most) return line;
  const more = h(
    "button",
    { type: "button", class: "button small", onclick: () => ((line.textContent = whole), more.remove()) },
    `Show all ${whole.length.toLocaleString()} characters`,
  );
  return h("div", { class: "stack tight start" }, line, more);
}

/**
 * Something of a program: arguments, results, configurations.
 *
 * @param {unknown} value
 * @param {number} [most]
 */
export function code(value, most = MOST) {
  const text = typeof value === "string" ? pretty(value) : JSON.stringify(value, null, 2);
  const whole = seen(text ?? NOTHING);
  const block = h("pre", { class: "code-block said", tabindex: "0", dir: "ltr" }, clip(whole, most));
  if (whole.length <= most) return block;
  const more = h(
    "button",
    { type: "button", class: "button small", onclick: () => ((block.textContent = whole), more.remove()) },
    `Show all ${whole.length.toLocaleString()} characters`,
  );
  return h("div", { class: "stack tight start" }, block, more);
}

/** @param {string} text */
function pretty(text) {
  if (!/^\s*[[{]/.test(text) || text.length > 200_000) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
