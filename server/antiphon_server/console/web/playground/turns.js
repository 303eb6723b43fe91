/** Where the time of each turn went. */

import { h } from "../shared/dom.js";
import { ms, NOTHING, plural, words } from "../shared/format.js";
import { legend, STAGES, strip, total, waterfall } from "../shared/waterfall.js";

/** Turns kept on the page. */
const MOST = 100;

/** @type {Record<string, string>} */
const TRIGGERS = {
  greeting: "Greeting",
  user_speech: "Answer to speech",
  tool_result: "After a tool",
  reply_create: "Answer on request",
};

export class Turns {
  /**
   * @param {HTMLElement} list an `ol`
   * @param {HTMLElement} summary
   * @param {HTMLElement} empty shown until there is a turn
   */
  constructor(list, summary, empty) {
    empty.append(stagesInWords());
    this._list = list;
    this._summary = summary;
    this._empty = empty;
    this._count = 0;
    /** @type {number[]} responses but the greeting's, ms */
    this._responses = [];
  }

  clear() {
    this._list.replaceChildren();
    this._count = 0;
    this._responses = [];
    this._empty.hidden = false;
    this._summary.hidden = true;
  }

  /**
   * Takes a `turn.timeline`.
   *
   * @param {Record<string, any>} timed
   */
  add({ reply_id: reply, trigger, stages, providers, reasons }) {
    this._count += 1;
    this._empty.hidden = true;
    const older = this._list.firstElementChild?.querySelector("details");
    if (older) older.open = false;
    const name = TRIGGERS[trigger] ?? words(trigger);
    this._list.prepend(
      h(
        "li",
        { id: `turn-${reply}`, class: "turn", tabindex: "-1", "data-trigger": trigger },
        h(
          "details",
          { open: true },
          h(
            "summary",
            null,
            h(
              "span",
              { class: "turn-name" },
              h("span", { class: "soft number" }, `${this._count}`),
              name,
            ),
            h("span", { class: "turn-total number" }, ms(total(stages))),
            strip(stages),
          ),
          waterfall(stages, { providers, reasons }),
        ),
      ),
    );
    while (this._list.childElementCount > MOST) this._list.lastElementChild?.remove();
    if (trigger !== "greeting" && typeof stages.response === "number") {
      this._responses.push(stages.response);
    }
    this._tell();
  }

  /** Opens the turn that the address names. */
  show() {
    if (!location.hash.startsWith("#turn-")) return;
    const turn = document.getElementById(location.hash.slice(1));
    const details = turn?.querySelector("details");
    if (!turn || !details) return;
    details.open = true;
    turn.scrollIntoView({ block: "nearest" });
    turn.focus();
  }

  _tell() {
    const sorted = [...this._responses].sort((a, b) => a - b);
    const middle = sorted[Math.floor((sorted.length - 1) / 2)];
    const stat = (/** @type {string} */ label, /** @type {string} */ value) =>
      h("div", { class: "stat" }, h("dt", null, label), h("dd", null, value));
    this._summary.hidden = false;
    this._summary.replaceChildren(
      h(
        "dl",
        { class: "turn-stats" },
        stat("Median", middle === undefined ? NOTHING : ms(middle)),
        stat("Slowest", sorted.length ? ms(sorted.at(-1)) : NOTHING),
        stat("Answers", plural(sorted.length, "turn")),
      ),
      legend(),
    );
  }
}

/** What the stages are, until there are some to see. */
function stagesInWords() {
  return h(
    "dl",
    { class: "stages" },
    Object.values(STAGES)
      .filter((kind) => !kind.beside && kind !== STAGES.speech_to_speech_first_audio)
      .map((kind) =>
        h(
          "div",
          { class: `shade-${kind.shade}` },
          h("dt", null, kind.name),
          h("dd", null, kind.means),
        ),
      ),
  );
}
