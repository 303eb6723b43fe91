/**
 * A turn's stages as a waterfall: what came after what between the end of the user's speech and
 * the first sound of the answer.
 *
 * The stages on the critical path add up to the response (docs/reference/metrics.md). Those
 * beside it ran within the endpointing wait and are drawn thinner, under it.
 */

import { h } from "./dom.js";
import { ms } from "./format.js";

/** @typedef {Record<string, number>} Stages milliseconds by stage */

/**
 * @typedef {object} Kind
 * @property {string} name
 * @property {string} shade a class of components.css
 * @property {string} means
 * @property {boolean} [beside]
 */

/** Every stage, in the order of time. @type {Record<string, Kind>} */
export const STAGES = {
  endpointing: {
    name: "End of turn",
    shade: "endpointing",
    means: "From the user's last voiced moment to the decision that the turn is over.",
  },
  voice_activity: {
    name: "Voice activity",
    shade: "endpointing",
    means: "How long the verdict on the pause took, within the wait for the end of the turn.",
    beside: true,
  },
  speech_to_text: {
    name: "Recognition",
    shade: "recognition",
    means: "From the pause to the final words, within the wait for the end of the turn.",
    beside: true,
  },
  turn_detection: {
    name: "Turn model",
    shade: "turn",
    means: "From the pause to the turn model's verdict, within the wait for the end of the turn.",
    beside: true,
  },
  language_model_first_token: {
    name: "Model: first token",
    shade: "model",
    means: "From the prompt to the language model's first token.",
  },
  language_model_first_sentence: {
    name: "Model: first sentence",
    shade: "sentence",
    means: "From the first token to the first piece worth speaking.",
  },
  text_to_speech_first_audio: {
    name: "Speech: first audio",
    shade: "speech",
    means: "From the first piece of text to its first audio.",
  },
  speech_to_speech_first_audio: {
    name: "Model: first audio",
    shade: "model",
    means: "From the prompt to the first audio of a model that hears and speaks.",
  },
  server_overhead: {
    name: "Server",
    shade: "server",
    means: "What is neither a wait nor a provider's time: the server's own share.",
  },
};

/** Those that add up to the response. */
export const PATH = Object.keys(STAGES).filter((name) => !STAGES[name]?.beside);

/**
 * Who serves a stage, of providers by kind: `language_model` serves both of the model's stages.
 *
 * @param {string} stage
 * @param {Record<string, string>} named
 * @returns {string}
 */
export function whose(stage, named) {
  const kind = Object.keys(named).find((one) => stage.startsWith(one));
  return kind ? (named[kind] ?? "") : "";
}

/**
 * How long the whole took: the response, or what is known of it.
 *
 * @param {Stages} stages
 * @returns {number}
 */
export function total(stages) {
  return stages.response ?? PATH.reduce((sum, name) => sum + (stages[name] ?? 0), 0);
}

/**
 * One sentence with all the numbers, for who cannot see the bars.
 *
 * @param {Stages} stages
 * @returns {string}
 */
export function inWords(stages) {
  const parts = PATH.filter((name) => stages[name] !== undefined).map(
    (name) => `${STAGES[name]?.name} ${ms(stages[name])}`,
  );
  return `Response ${ms(total(stages))}: ${parts.join(", ")}`;
}

/**
 * The waterfall of one turn: a line for each stage.
 *
 * @param {Stages} stages
 * @param {object} [more]
 * @param {Record<string, string>} [more.providers] by kind of stage
 * @param {Record<string, string>} [more.reasons] why it was that one
 * @param {number} [more.scale] milliseconds of the whole width, to compare turns
 * @returns {HTMLElement}
 */
export function waterfall(stages, { providers = {}, reasons = {}, scale } = {}) {
  const whole = Math.max(scale ?? 0, total(stages), 1);
  let from = 0;
  const lines = Object.entries(STAGES)
    .filter(([name]) => stages[name] !== undefined)
    .map(([name, kind]) => {
      const value = stages[name] ?? 0;
      // What ran beside the path ran before the decision: it begins no later than the wait ended.
      const wait = stages.endpointing ?? 0;
      const start = kind.beside ? Math.max(0, wait - Math.max(value, 0)) : from;
      if (!kind.beside) from += value;
      const provider = whose(name, providers);
      const reason = whose(name, reasons);
      return h(
        "div",
        { class: kind.beside ? "step beside" : "step", role: "listitem", title: kind.means },
        h("span", { class: "name" }, kind.name, provider && h("span", { class: "whose" }, ` · ${provider}`)),
        h(
          "span",
          { class: `track shade-${kind.shade}`, "aria-hidden": "true" },
          h("span", {
            class: "bar",
            style: { "--from": String(start / whole), "--share": String(Math.min(value, whole) / whole) },
          }),
        ),
        h("span", { class: "ms", title: reason || null }, ms(value)),
      );
    });
  return h(
    "div",
    { class: "waterfall", role: "list", "aria-label": inWords(stages) },
    lines,
    h(
      "div",
      { class: "step total", role: "listitem" },
      h("span", { class: "total" }, "Response"),
      h("span"),
      h("span", { class: "ms total" }, ms(total(stages))),
    ),
  );
}

/**
 * The same in one line: for lists of turns.
 *
 * @param {Stages} stages
 * @param {number} [scale] milliseconds of the whole width
 * @returns {HTMLElement}
 */
export function strip(stages, scale) {
  const whole = Math.max(scale ?? 0, total(stages), 1);
  return h(
    "div",
    { class: "strip", role: "img", "aria-label": inWords(stages), title: inWords(stages) },
    PATH.filter((name) => (stages[name] ?? 0) > 0).map((name) =>
      h("span", {
        class: `shade-${STAGES[name]?.shade}`,
        style: { "--ms": String(stages[name]), "--share": String((stages[name] ?? 0) / whole) },
      }),
    ),
  );
}

/** What the colours mean, once for a page. @returns {HTMLElement} */
export function legend() {
  // Two kinds of one shade are told apart by where they stand; the first has the name.
  const shown = Object.values(STAGES).filter(
    (kind, place, all) => all.findIndex((one) => one.shade === kind.shade) === place,
  );
  return h(
    "div",
    { class: "legend" },
    shown.map((kind) =>
      h("span", { class: `shade-${kind.shade}`, title: kind.means }, kind.name),
    ),
  );
}
