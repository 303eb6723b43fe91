/** Each call of a tool as a card: what was asked, and the answer, by hand or by JavaScript. */

import { announce, fill, h, icon } from "../shared/dom.js";
import { clip, ms, seen } from "../shared/format.js";
import { runCode } from "./sandbox.js";

const MOST_SHOWN = 4000;
const DEFAULT_SECONDS = 120;

/**
 * @typedef {object} Called
 * @property {string} call_id
 * @property {string} name
 * @property {Record<string, unknown>} arguments
 */

/**
 * @typedef {object} Ways
 * @property {boolean} byServer the server runs it: nothing is to be answered here
 * @property {string | null} code JavaScript that answers, where there is some
 * @property {number} [seconds] until an unanswered call has failed
 * @property {(result: string, isError: boolean) => void} answer
 */

/**
 * The card of a call. JavaScript is run at once; otherwise the card asks for an answer.
 *
 * @param {Called} called
 * @param {Ways} ways
 * @returns {HTMLElement}
 */
export function toolCard(called, ways) {
  const name = seen(clip(called.name, 80));
  const state = h("span", { class: "badge agent live" }, "Waits");
  const body = h("div", { class: "stack tight" });
  const card = h(
    "section",
    { class: "tool-card", "aria-label": `Tool call: ${name}`, "data-call": called.call_id },
    h(
      "header",
      { class: "row" },
      icon("tool"),
      h("h3", { class: "said" }, h("code", null, name)),
      state,
    ),
    h(
      "div",
      null,
      h("span", { class: "label small soft" }, "Arguments"),
      block(pretty(called.arguments)),
    ),
    body,
  );
  const seconds = ways.seconds ?? DEFAULT_SECONDS;
  const since = performance.now();
  const settle = (
    /** @type {string} */ result,
    /** @type {boolean} */ failed,
    /** @type {string} */ how,
  ) => {
    state.className = `badge ${failed ? "bad" : "good"}`;
    state.textContent = `${failed ? "Failed" : "Answered"} ${how}, ${ms(performance.now() - since)}`;
    fill(
      body,
      h("span", { class: "label small soft" }, failed ? "Error" : "Result"),
      block(result),
    );
    ways.answer(result, failed);
  };
  if (ways.byServer) {
    state.className = "badge plain";
    state.textContent = "The server calls it";
  } else if (ways.code === null) {
    announce(`The agent calls the tool ${name}. Answer it in the conversation.`);
    fill(body, answerForm(called, settle));
  } else {
    state.textContent = "Runs";
    void runCode(ways.code, called.arguments, seconds * 1000).then(({ failed, result, logs }) => {
      settle(result, failed, "by JavaScript");
      if (logs.length)
        body.append(h("span", { class: "label small soft" }, "Console"), block(logs.join("\n")));
    });
  }
  return card;
}

/**
 * @param {Called} called
 * @param {(result: string, failed: boolean, how: string) => void} settle
 * @returns {HTMLElement}
 */
function answerForm(called, settle) {
  const id = `answer-${called.call_id}`;
  const result = h("textarea", {
    id,
    class: "code",
    rows: 3,
    spellcheck: "false",
    placeholder: '{"status": "on its way"}',
    "aria-describedby": `${id}-hint`,
  });
  const form = h(
    "form",
    { class: "stack tight" },
    h(
      "div",
      { class: "field" },
      h("label", { for: id }, "Result"),
      result,
      h(
        "p",
        { id: `${id}-hint`, class: "hint" },
        "Any text; JSON by convention. The agent waits for it.",
      ),
    ),
    h(
      "div",
      { class: "row" },
      h("button", { class: "button primary", type: "submit" }, icon("check"), "Send result"),
      h(
        "button",
        {
          class: "button",
          type: "button",
          onclick: () => settle(result.value || "It failed.", true, "by hand"),
        },
        "Send as an error",
      ),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    settle(result.value, false, "by hand");
  });
  return form;
}

/** @param {string} text */
function block(text) {
  if (!text) return h("p", { class: "soft small" }, "Empty");
  return h("pre", { class: "code-block said", tabindex: "0" }, seen(clip(text, MOST_SHOWN)));
}

/** @param {unknown} value */
function pretty(value) {
  return JSON.stringify(value, null, 2) ?? "null";
}
