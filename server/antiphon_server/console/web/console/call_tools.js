/** A tool that was called in a turn: with what, and what came of it. */

import { h, icon } from "../shared/dom.js";
import { ms, position, seen } from "../shared/format.js";
import { code } from "./said.js";

/** @param {any} call */
export function toolCall(call) {
  const inside = h("div", { class: "stack" });
  const [name, how] = outcome(call);
  const drawn = () => {
    if (inside.childElementCount) return;
    inside.append(
      h("div", { class: "stack tight" }, h("h4", { class: "small" }, "Arguments"), code(call.arguments)),
      h(
        "div",
        { class: "stack tight" },
        h("h4", { class: "small" }, "Result"),
        call.result === null ? h("p", { class: "soft small" }, "There was none.") : code(call.result),
      ),
      h(
        "p",
        { class: "soft small" },
        `Called at ${position(call.dispatched_at_ms)}`,
        call.parallel_call_id && ", beside others",
        ". ",
        h("code", null, call.call_id),
      ),
    );
  };
  return h(
    "details",
    { class: "tool", ontoggle: drawn },
    h(
      "summary",
      null,
      icon("tool"),
      h("bdi", { class: "said strong" }, seen(call.name)),
      h("span", { class: `badge ${how}` }, name),
      h("span", { class: "number soft" }, ms(call.duration_ms)),
    ),
    inside,
  );
}

/**
 * @param {any} call
 * @returns {[string, string]}
 */
function outcome(call) {
  if (call.timed_out) return ["No answer in time", "bad"];
  if (call.is_error) return ["Failed", "bad"];
  if (call.result === null) return ["No answer", "warn"];
  return ["Answered", "good"];
}
