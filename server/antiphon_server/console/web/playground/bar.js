/** Buttons of the bar on top: a picture, with its word where there is room. */

import { h, icon } from "../shared/dom.js";

/**
 * @param {Parameters<typeof icon>[0]} picture
 * @param {string} word
 * @param {() => void} press
 * @param {string} [extra] a class
 * @returns {HTMLButtonElement}
 */
export function barButton(picture, word, press, extra = "") {
  return h(
    "button",
    {
      class: `button quiet bar-button ${extra}`,
      type: "button",
      title: word,
      "aria-label": word,
      onclick: press,
    },
    icon(picture),
    h("span", { class: "bar-word" }, word),
  );
}
