/** What went wrong in a call, in plain words. */

import { h, icon } from "../shared/dom.js";
import { position, seen, words } from "../shared/format.js";

/** Who was at fault, so that it is known whom to ask. @type {Record<string, string>} */
const SOURCES = {
  client: "The client sent what the server refused",
  reply: "A reply broke off",
  provider: "A provider failed",
  server: "The server failed",
};

/** What a code means for whoever looks after the server. @type {Record<string, string>} */
const ADVICE = {
  switched: "Another provider took over, so the caller heard an answer.",
  lost: "The process ended in the middle of the call: its log, or the machine's, says why.",
  invalid_audio: "The client sends audio that is not in the format it declared.",
  audio_rate_violation: "The client sends audio faster than it is spoken; only files do that.",
  at_capacity: "The server carried as many calls as it may.",
  concurrency_exceeded: "The key had as many calls at once as it may.",
};

/**
 * @param {any[]} errors
 * @returns {HTMLElement | null}
 */
export function troubles(errors) {
  if (!errors.length) return null;
  return h("section", { class: "stack tight", "aria-label": "What went wrong" }, errors.map(trouble));
}

/** @param {any} error */
export function trouble(error) {
  const stood = error.code === "switched";
  const about = [error.stage && words(error.stage), error.provider].filter(Boolean).join(", ");
  return h(
    "div",
    { class: `notice ${stood ? "warn" : "bad"} snug` },
    icon("warning"),
    h(
      "div",
      { class: "stack tight grow" },
      h("p", null, h("strong", null, stood ? "A provider stood in for another" : (SOURCES[error.source] ?? words(error.code))), about && h("span", { class: "soft" }, ` (${about})`)),
      h("p", null, h("bdi", { class: "said" }, seen(error.message ?? ""))),
      ADVICE[error.code] && h("p", { class: "small soft" }, ADVICE[error.code]),
      h("p", { class: "small soft" }, h("code", null, error.code), ` at ${position(error.at_ms)}`),
    ),
  );
}
