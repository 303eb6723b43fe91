/** A problem on the page, with what can be done about it at once. */

import { fill, h, icon } from "../shared/dom.js";
import { say } from "./said.js";

/** @typedef {import("./problems.js").Problem} Problem */

/** @type {Record<NonNullable<Problem["offers"]>, string>} */
const OFFERS = { type: "Type instead", sign_in: "Sign in", again: "Try again" };

/**
 * @param {HTMLElement} place
 * @param {Problem} problem
 * @param {Record<NonNullable<Problem["offers"]>, () => void>} ways
 */
export function showProblem(place, { how, title, advice, offers }, ways) {
  const words = h("p", { class: "said" });
  say(words, advice);
  const clear = () => fill(place);
  fill(
    place,
    h(
      "div",
      { class: `notice ${how}` },
      icon(how === "bad" ? "warning" : "info"),
      h(
        "div",
        null,
        h("h2", null, title),
        words,
        h(
          "div",
          { class: "row" },
          offers &&
            h(
              "button",
              {
                class: "button",
                type: "button",
                onclick: () => {
                  clear();
                  ways[offers]();
                },
              },
              OFFERS[offers],
            ),
          h("button", { class: "button quiet", type: "button", onclick: clear }, "Dismiss"),
        ),
      ),
    ),
  );
}
