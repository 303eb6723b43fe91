/** Words of a call as they may be shown: of any length, in any direction, and always text. */

import { h } from "../shared/dom.js";
import { number } from "../shared/format.js";

/** Shown at once; nobody reads more without asking for it. */
export const MOST_SHOWN = 4000;

// What would turn the direction of its surroundings, or cannot be printed. Joiners stay: there
// are scripts that need them.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNRULY =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * A text whose marks of direction and control characters can be seen, as `⟨U+202E⟩`.
 *
 * @param {string} text
 * @returns {string}
 */
export function tame(text) {
  return text.replace(
    UNRULY,
    (one) => `⟨U+${one.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`,
  );
}

/**
 * Puts a text into an element: its beginning, and a button for the rest where there is more.
 *
 * @param {HTMLElement} element
 * @param {string} text
 */
export function say(element, text) {
  const tamed = tame(text);
  if (tamed.length <= MOST_SHOWN) {
    if (element.textContent !== tamed) element.textContent = tamed;
    return;
  }
  const all = h(
    "button",
    { class: "button quiet show-all", type: "button" },
    `Show all ${number(tamed.length)} characters`,
  );
  all.addEventListener("click", () => {
    element.textContent = tamed;
  });
  element.replaceChildren(`${tamed.slice(0, MOST_SHOWN)}… `, all);
}

/**
 * What the user did not hear of an interrupted reply: the words that had come and are not in
 * what the server says was heard.
 *
 * @param {string} came the reply's words so far
 * @param {string} heard
 * @returns {string}
 */
export function unheard(came, heard) {
  const all = came.trim().split(/\s+/).filter(Boolean);
  const known = heard.trim().split(/\s+/).filter(Boolean);
  return all.slice(known.length).join(" ");
}
