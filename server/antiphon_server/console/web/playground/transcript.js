/** The conversation in words, as it goes on. */

import { announce, h, icon } from "../shared/dom.js";
import { clip, ms } from "../shared/format.js";
import { say, unheard } from "./said.js";

/** A word whose sound does not come is shown so long after it was due. */
const PATIENCE_MS = 1500;
const MOST_ANNOUNCED = 400;
/** Lines kept; a call of hours has more. */
const MOST_LINES = 600;

/**
 * @typedef {object} AgentLine
 * @property {HTMLElement} row
 * @property {HTMLElement} words
 * @property {HTMLElement} marks
 * @property {string} came
 * @property {{text: string, start: number, latest: number}[]} waiting words whose sound is still to come
 * @property {boolean} over
 */

export class Transcript {
  /**
   * @param {HTMLElement} list an `ol`
   * @param {{playedMs: (reply: string) => number}} player how far a reply was heard
   */
  constructor(list, player) {
    this._list = list;
    this._player = player;
    /** @type {Map<string, HTMLElement>} */
    this._users = new Map();
    /** @type {Map<string, AgentLine>} */
    this._agents = new Map();
    this._ahead = 0;
  }

  /** Forgets everything. */
  clear() {
    this._list.replaceChildren();
    this._users.clear();
    this._agents.clear();
  }

  get isEmpty() {
    return this._list.childElementCount === 0;
  }

  /**
   * Takes a message of the server.
   *
   * @param {{type: string} & Record<string, any>} message
   */
  take(message) {
    switch (message.type) {
      case "transcript.user.delta":
        return this._user(message.item_id, message.text, false);
      case "transcript.user":
        return this._user(message.item_id, message.text, true);
      case "transcript.agent.delta":
        return this._agentWord(message);
      case "transcript.agent":
        return this._agentFinal(message);
      case "reply.done":
        return this._replyDone(message);
      case "turn.timeline":
        return this._timed(message);
    }
  }

  /**
   * What was typed.
   *
   * @param {string} text
   */
  typed(text) {
    const row = this._row("user", "You");
    say(words(row), text);
    row.dataset.typed = "true";
  }

  /**
   * Something that is neither said nor heard: a reconnection, a change of settings.
   *
   * @param {string} text
   */
  note(text) {
    this._add(h("li", { class: "line note" }, h("p", { class: "said" }, text)));
  }

  /**
   * An element among the lines, such as the card of a tool's call.
   *
   * @param {HTMLElement} element
   */
  insert(element) {
    this._add(h("li", { class: "line aside" }, element));
  }

  /**
   * @param {string} id
   * @param {string} text
   * @param {boolean} final
   */
  _user(id, text, final) {
    let row = this._users.get(id);
    if (!row) {
      // Noise that was no words: nothing was said.
      if (!text) return;
      row = this._row("user", "You");
      this._users.set(id, row);
    }
    row.classList.toggle("partial", !final);
    say(words(row), text);
    if (final && !text) row.remove();
    else if (final) announce(`You: ${clip(text, MOST_ANNOUNCED)}`);
    this._follow();
  }

  /** @param {Record<string, any>} message */
  _agentWord({ reply_id: reply, delta, start_ms: start }) {
    const line = this._agent(reply);
    if (line.over) return;
    line.came += delta;
    if (typeof start === "number" && line.came.length < 20_000) {
      const early = Math.max(0, start - this._player.playedMs(reply));
      line.waiting.push({ text: delta, start, latest: performance.now() + early + PATIENCE_MS });
      this._reveal(reply, line);
    } else {
      line.waiting = [];
      say(line.words, line.came);
    }
    this._follow();
  }

  /**
   * Shows the words whose sound has begun, and asks again for the others.
   *
   * @param {string} reply
   * @param {AgentLine} line
   */
  _reveal(reply, line) {
    const played = this._player.playedMs(reply);
    const now = performance.now();
    const due = line.waiting.filter((one) => one.start <= played || one.latest <= now);
    if (due.length) {
      line.waiting = line.waiting.filter((one) => !due.includes(one));
      const rest = line.waiting.reduce((sum, one) => sum + one.text.length, 0);
      say(line.words, line.came.slice(0, line.came.length - rest));
    }
    if (line.waiting.length && !this._ahead) {
      this._ahead = window.setTimeout(() => {
        this._ahead = 0;
        for (const [id, one] of this._agents) if (one.waiting.length) this._reveal(id, one);
        this._follow();
      }, 80);
    }
  }

  /** @param {Record<string, any>} message */
  _agentFinal({ reply_id: reply, text, interrupted }) {
    const line = this._agent(reply);
    line.over = true;
    if (!interrupted) {
      // What is still to be played is revealed as it sounds.
      if (!line.waiting.length) say(line.words, text);
    } else {
      line.waiting = [];
      say(line.words, text);
      const lost = unheard(line.came, text);
      line.row.classList.add("interrupted");
      if (lost)
        line.words.append(
          " ",
          h("s", { class: "unheard", title: "You did not hear this" }, clip(lost, 2000)),
        );
      this._mark(line, h("span", { class: "badge plain warn" }, "Interrupted"));
    }
    if (text)
      announce(`Agent: ${clip(text, MOST_ANNOUNCED)}${interrupted ? " (interrupted)" : ""}`);
    this._follow();
  }

  /** @param {Record<string, any>} message */
  _replyDone({ reply_id: reply, status }) {
    const line = this._agents.get(reply);
    if (!line) return;
    line.over = true;
    if (status === "interrupted") line.waiting = [];
    // A reply that only called a tool said nothing.
    if (!line.came && !line.words.textContent) line.row.remove();
  }

  /** @param {Record<string, any>} message */
  _timed({ reply_id: reply, stages }) {
    const line = this._agent(reply);
    const response = stages?.response;
    if (typeof response !== "number") return;
    const chip = h(
      "a",
      { class: "took", href: `#turn-${reply}`, title: "Where this time went" },
      icon("clock"),
      ms(response),
    );
    this._mark(line, chip);
  }

  /**
   * @param {AgentLine} line
   * @param {HTMLElement} mark
   */
  _mark(line, mark) {
    line.marks.append(mark);
  }

  /**
   * @param {string} reply
   * @returns {AgentLine}
   */
  _agent(reply) {
    const known = this._agents.get(reply);
    if (known) return known;
    const row = this._row("agent", "Agent");
    const marks = h("div", { class: "marks" });
    row.append(marks);
    const line = { row, words: words(row), marks, came: "", waiting: [], over: false };
    this._agents.set(reply, line);
    return line;
  }

  /**
   * @param {"user" | "agent"} side
   * @param {string} name
   * @returns {HTMLElement}
   */
  _row(side, name) {
    const row = h(
      "li",
      { class: `line ${side}` },
      h("span", { class: "who" }, name),
      h("p", { class: "said", dir: "auto" }),
    );
    this._add(row);
    return row;
  }

  /** @param {HTMLElement} row */
  _add(row) {
    this._list.append(row);
    while (this._list.childElementCount > MOST_LINES) this._list.firstElementChild?.remove();
    this._follow();
  }

  /** Keeps the newest line in view, unless the reader has gone elsewhere. */
  _follow() {
    const view = this._list.parentElement;
    if (!view) return;
    const left = view.scrollHeight - view.scrollTop - view.clientHeight;
    if (left < 240) view.scrollTop = view.scrollHeight;
  }
}

/**
 * @param {HTMLElement} row
 * @returns {HTMLElement}
 */
function words(row) {
  return /** @type {HTMLElement} */ (row.querySelector(".said"));
}
