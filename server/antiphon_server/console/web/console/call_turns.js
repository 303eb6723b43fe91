/** Every turn of a call: who said what, what was heard of it, and where the time went. */

import { copy, h, icon } from "../shared/dom.js";
import { ms, plural, position, words } from "../shared/format.js";
import { total, waterfall } from "../shared/waterfall.js";
import { trouble } from "./call_errors.js";
import { toolCall } from "./call_tools.js";
import { transcript } from "./call_words.js";
import { spoken } from "./said.js";

/** So many are made before the first picture, the rest between pictures. */
const AT_ONCE = 12;

/** Why there is a reply. @type {Record<string, string>} */
const TRIGGERS = {
  greeting: "Greeting",
  user_speech: "Answer",
  tool_result: "After a tool",
  reply_create: "Asked for by the client",
};

/**
 * @typedef {object} Turns
 * @property {HTMLElement} element
 * @property {HTMLElement | null} glance all response times, as bars
 * @property {Promise<void>} written when all are there
 * @property {(anchor: string) => void} reveal shows the turn of a link
 */

/**
 * @param {any} call
 * @param {import("./recording.js").Player} player
 * @param {AbortSignal} signal
 * @returns {Turns}
 */
export function turnList({ turns }, player, signal) {
  const scale = scaleOf(turns);
  const element = h("ol", { class: "turns", role: "list" });
  const { follow, says } = transcript(player, turns, element);
  const one = (/** @type {any} */ turn, /** @type {number} */ place) => article(turn, place, { scale, player, says });
  const written = inSlices(turns, one, element, signal);
  player.follow(follow);
  const reveal = (/** @type {string} */ anchor) => {
    const wanted = anchor === "slowest" ? anchorOf(slowest(turns)) : anchor;
    const found = wanted ? document.getElementById(wanted) : null;
    if (!found || !element.contains(found)) return;
    for (const old of element.querySelectorAll(".meant")) old.classList.remove("meant");
    found.classList.add("meant");
    // What is above has its true height only once it was drawn: the second time lands.
    found.scrollIntoView({ block: "start" });
    requestAnimationFrame(() => {
      found.scrollIntoView({ block: "start" });
      found.focus({ preventScroll: true });
    });
  };
  return { element, glance: glance(turns, scale), written, reveal };
}

/**
 * @param {any[]} turns
 * @param {(turn: any, place: number) => HTMLElement} one
 * @param {HTMLElement} into
 * @param {AbortSignal} signal
 */
async function inSlices(turns, one, into, signal) {
  for (let from = 0; from < turns.length && !signal.aborted; from += AT_ONCE) {
    if (from) await new Promise((resolve) => setTimeout(resolve));
    into.append(...turns.slice(from, from + AT_ONCE).map((turn, place) => one(turn, from + place)));
  }
}

/**
 * @param {any} turn
 * @param {number} place
 * @param {object} how
 * @param {number} how.scale
 * @param {import("./recording.js").Player} how.player
 * @param {import("./call_words.js").Says} how.says
 */
function article(turn, place, { scale, player, says }) {
  const anchor = anchorOf(turn);
  const name = `${anchor}-name`;
  return h(
    "li",
    { id: anchor, class: "card snug turn", tabindex: "-1", "aria-labelledby": name },
    h(
      "div",
      { class: "row spread" },
      h(
        "div",
        { class: "row" },
        player.plays
          ? h("button", { type: "button", class: "button small number", "aria-label": `Play from ${position(turn.at_ms)}`, onclick: () => player.seek(turn.at_ms) }, icon("play"), position(turn.at_ms))
          : h("span", { class: "number soft" }, position(turn.at_ms)),
        h("h3", { id: name }, `Turn ${place + 1}`),
        h("span", { class: "soft small" }, TRIGGERS[turn.trigger] ?? words(turn.trigger)),
        turn.status === "interrupted" && h("span", { class: "badge warn" }, turn.agent?.interrupted_at_ms ? `Interrupted at ${position(turn.agent.interrupted_at_ms)}` : "Interrupted"),
      ),
      h(
        "div",
        { class: "row" },
        turn.response_ms !== null && h("span", { class: "number strong" }, ms(turn.response_ms)),
        h("a", { class: "button quiet icon small", href: `#${anchor}`, title: "Copy a link to this turn", "aria-label": `Copy a link to turn ${place + 1}`, onclick: copied }, icon("link")),
      ),
    ),
    h("div", { class: "turn-body" }, exchange(turn, says), times(turn, scale)),
  );
}

/** @param {MouseEvent} event */
function copied(event) {
  const link = event.currentTarget;
  if (link instanceof HTMLAnchorElement) void copy(link.href, "The link to the turn is copied");
}

/**
 * @param {any} turn
 * @param {import("./call_words.js").Says} says
 */
function exchange(turn, says) {
  const { user, agent } = turn;
  return h(
    "div",
    { class: "stack exchange-column" },
    h(
      "div",
      { class: "exchange" },
      user && [h("span", { class: "badge user plain" }, user.started_ms === null ? "User, typed" : "User"), says(turn, "user", user.text)],
      agent && [
        h("span", { class: "badge agent plain" }, "Agent"),
        h(
          "div",
          { class: "stack tight" },
          agent.heard ? says(turn, "agent", agent.heard) : h("p", { class: "soft" }, agent.unheard ? "Nothing of it was heard." : "It said nothing."),
          agent.unheard && unheard(agent),
        ),
      ],
      !user && !agent && h("p", { class: "soft" }, "Nothing was said."),
    ),
    turn.instructions && h("p", { class: "small soft" }, "Asked to: ", spoken(turn.instructions)),
    turn.tool_calls.map(toolCall),
    turn.errors.map(trouble),
  );
}

/** @param {any} agent */
function unheard(agent) {
  return h(
    "div",
    { class: "unheard" },
    h("span", { class: "badge plain", title: agent.method === "estimated" ? "Where it was cut is estimated: the voice tells no times of words." : null }, agent.method === "estimated" ? "Not heard, about" : "Not heard"),
    spoken(agent.unheard, "cut"),
  );
}

/**
 * @param {any} turn
 * @param {number} scale
 */
function times(turn, scale) {
  const { stages, providers, models, reasons } = turn;
  if (!Object.keys(stages).length) {
    return h("p", { class: "soft small" }, turn.agent ? "No times were kept for this turn." : "The agent did not answer.");
  }
  const whys = Object.keys(providers).filter((kind) => models?.[kind] || reasons?.[kind]);
  return h(
    "div",
    { class: "stack tight" },
    waterfall(stages, { providers, reasons, scale }),
    whys.length
      ? h(
          "ul",
          { class: "whys small soft", role: "list" },
          whys.map((kind) => h("li", null, `${words(kind)}: `, h("bdi", { class: "said" }, [providers[kind], models?.[kind]].filter(Boolean).join(", ")), reasons?.[kind] ? [" – ", h("bdi", { class: "said" }, reasons[kind])] : null)),
        )
      : null,
  );
}

/**
 * One width for all turns, so that they can be compared; a single very slow one may be wider.
 *
 * @param {any[]} turns
 */
function scaleOf(turns) {
  const all = turns.filter((turn) => Object.keys(turn.stages).length).map((turn) => total(turn.stages)).sort((a, b) => a - b);
  const middle = all[Math.floor(all.length / 2)] ?? 0;
  return Math.min(all.at(-1) ?? 0, 2 * middle);
}

/** @param {any[]} turns */
function slowest(turns) {
  return turns.reduce((worst, turn) => ((turn.response_ms ?? -1) > (worst?.response_ms ?? -1) ? turn : worst), null);
}

/** @param {any} turn */
const anchorOf = (turn) => (turn ? `turn-${turn.turn_id}` : "");

/**
 * @param {any[]} turns
 * @param {number} scale
 */
function glance(turns, scale) {
  if (turns.length < 8 || !scale) return null;
  const most = Math.max(...turns.map((turn) => turn.response_ms ?? 0), 1);
  return h(
    "div",
    { class: "glance", "aria-hidden": "true", title: `${plural(turns.length, "turn")}; the highest bar is ${ms(most)}` },
    turns.map((turn, place) =>
      h("a", {
        href: `#${anchorOf(turn)}`,
        tabindex: "-1",
        class: turn.errors.length ? "bad" : turn.status === "interrupted" ? "warn" : null,
        title: `Turn ${place + 1}: ${ms(turn.response_ms)}`,
        style: { "--share": String((turn.response_ms ?? 0) / most) },
      }),
    ),
  );
}
