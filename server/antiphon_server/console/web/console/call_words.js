/**
 * Words and their places in the recording: a click on a word plays from there, and what is being
 * played is marked. No word is an element of its own, so that a long call has not ten thousand.
 */

import { spoken } from "./said.js";

/** @typedef {(turn: any, who: "user" | "agent", text: string) => HTMLElement} Says */

/** @typedef {{from: number, to: number, start: number, end: number}} Word where in the text, and when in ms */

const MARK = "played-word";

/**
 * @param {import("./recording.js").Player} player
 * @param {any[]} turns in the order of time
 * @param {HTMLElement} list
 */
export function transcript(player, turns, list) {
  /** @type {Map<HTMLElement, {turn: any, who: "user" | "agent"}>} */
  const lines = new Map();
  /** @type {Map<any, HTMLElement[]>} */
  const byTurn = new Map();

  /** @type {Says} */
  const says = (turn, who, text) => {
    const element = spoken(text);
    const line = element.querySelector("bdi") ?? element;
    lines.set(line, { turn, who });
    byTurn.set(turn, [...(byTurn.get(turn) ?? []), line]);
    if (player.plays && began(turn, who) !== null) {
      line.classList.add("playable");
      line.title = who === "user" ? "Click a word to play from there; its place is estimated." : "Click a word to play from there.";
    }
    return element;
  };

  list.addEventListener("click", (event) => {
    const line = event.target instanceof Element ? event.target.closest("bdi.playable") : null;
    const about = line instanceof HTMLElement ? lines.get(line) : undefined;
    if (!about || !(line instanceof HTMLElement) || !getSelection()?.isCollapsed) return;
    const place = offsetAt(event.clientX, event.clientY, line);
    const word = wordsOf(line, about.turn, about.who).find((one) => place < one.to);
    player.seek(word?.start ?? began(about.turn, about.who) ?? about.turn.at_ms);
  });

  /** @type {HTMLElement | null} */
  let current = null;
  const follow = (/** @type {number} */ ms, /** @type {boolean} */ playing) => {
    const turn = turnAt(turns, ms);
    const element = turn ? document.getElementById(`turn-${turn.turn_id}`) : null;
    if (element !== current) {
      const wasSeen = !current || inSight(current);
      current?.classList.remove("now");
      current?.removeAttribute("aria-current");
      element?.classList.add("now");
      element?.setAttribute("aria-current", "true");
      current = element;
      // Whoever looks at what is played goes with it; whoever looks elsewhere is left there.
      if (element && playing && wasSeen && !inSight(element)) element.scrollIntoView({ block: "center", behavior: calmly() });
    }
    marked(turn, (byTurn.get(turn) ?? []).map((line) => ({ line, who: lines.get(line)?.who ?? "user" })), ms);
  };
  return { says, follow };
}

/**
 * @param {any} turn
 * @param {{line: HTMLElement, who: "user" | "agent"}[]} lines
 * @param {number} ms
 */
function marked(turn, lines, ms) {
  if (!("highlights" in CSS)) return;
  CSS.highlights.delete(MARK);
  for (const { line, who } of lines) {
    const text = line.firstChild;
    const word = wordsOf(line, turn, who).find((one) => one.start <= ms && ms < one.end);
    if (!word || !(text instanceof Text) || word.to > text.length) continue;
    const range = new Range();
    range.setStart(text, word.from);
    range.setEnd(text, word.to);
    CSS.highlights.set(MARK, new Highlight(range));
  }
}

/**
 * The words of a line: those of the agent when the voice said them, those of the user spread over
 * the time of their speech by their length.
 *
 * @param {HTMLElement} line
 * @param {any} turn
 * @param {"user" | "agent"} who
 * @returns {Word[]}
 */
function wordsOf(line, turn, who) {
  const text = line.textContent ?? "";
  const places = [...text.matchAll(/\S+/g)].map((found) => ({ from: found.index, to: found.index + found[0].length }));
  const timed = who === "agent" ? (turn.agent?.words ?? []) : [];
  if (timed.length) {
    return places.flatMap((place, number) => (timed[number] ? [{ ...place, start: timed[number][1], end: timed[number][2] }] : []));
  }
  const start = began(turn, who);
  const end = who === "user" ? turn.user?.ended_ms : turn.agent?.ended_ms;
  if (start === null || end === null || end === undefined || !text.length) return [];
  const at = (/** @type {number} */ place) => start + ((end - start) * place) / text.length;
  return places.map((place) => ({ ...place, start: at(place.from), end: at(place.to + 1) }));
}

/**
 * @param {any} turn
 * @param {"user" | "agent"} who
 * @returns {number | null}
 */
function began(turn, who) {
  return turn[who]?.started_ms ?? null;
}

/**
 * Which turn goes on: the last that had begun.
 *
 * @param {any[]} turns
 * @param {number} ms
 */
function turnAt(turns, ms) {
  let low = 0;
  let high = turns.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (turns[middle].at_ms <= ms) low = middle + 1;
    else high = middle;
  }
  return turns[low - 1] ?? null;
}

/** How to scroll for whoever wants no motion. */
const calmly = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth");

/** @param {HTMLElement} element */
function inSight(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < window.innerHeight;
}

/**
 * Which character of a line lies under a point.
 *
 * @param {number} x
 * @param {number} y
 * @param {HTMLElement} line
 */
function offsetAt(x, y, line) {
  const page = /** @type {any} */ (document);
  const position = page.caretPositionFromPoint?.(x, y);
  if (position && line.contains(position.offsetNode)) return position.offset;
  const range = page.caretRangeFromPoint?.(x, y);
  return range && line.contains(range.startContainer) ? range.startOffset : 0;
}
