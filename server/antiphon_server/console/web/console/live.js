/** The calls that go on now. */

import { api, ApiError } from "../shared/api.js";
import { announce, fill, h } from "../shared/dom.js";
import { clip, duration, ms, number, plural, seen, words } from "../shared/format.js";
import { failed, head, nothing, repeated, shown } from "./load.js";

const EVERY = 1000;
const STATES = /** @type {Record<string, [string, string]>} */ ({
  greeting: ["Greeting", "agent"],
  listening: ["Listening", "good"],
  hearing: ["User speaks", "user"],
  thinking: ["Thinking", "warn"],
  speaking: ["Agent speaks", "agent"],
  tools: ["Waits for a tool", "warn"],
  detached: ["Connection lost", "bad"],
  ending: ["Ending", ""],
});

/**
 * How a call stands, as a badge.
 *
 * @param {string} state
 */
export function stateBadge(state) {
  const [name, how] = STATES[state] ?? [words(state), ""];
  return h("span", { class: `badge ${how} ${state === "detached" || state === "ending" ? "" : "live"}` }, name);
}

/** @type {import("./router.js").Page["show"]} */
export async function livePage({ main, signal }) {
  const count = h("p", { class: "soft" });
  const list = h("div", { class: "live-calls" });
  fill(main, head("Live"), count, list);
  let ready = shown(list, "rows");
  /** @type {Map<string, ReturnType<typeof card>>} */
  const cards = new Map();
  let before = -1;
  await repeated(EVERY, signal, async () => {
    try {
      const { sessions } = await api("/v1/console/live", { signal });
      ready();
      ready = () => {};
      drawn(list, sessions, cards);
      if (sessions.length !== before) {
        count.textContent = sessions.length ? `${plural(sessions.length, "call")} now` : "";
        if (before >= 0) announce(`${plural(sessions.length, "call")} now`);
        before = sessions.length;
      }
    } catch (error) {
      if (signal.aborted || (error instanceof ApiError && error.status === 401)) return;
      ready();
      cards.clear();
      before = -1;
      count.textContent = "";
      // It asks again by itself; the button is for who cannot wait.
      if (!list.querySelector(".notice")) fill(list, failed(error));
    }
  });
}

/**
 * Changes what changed, so that what is selected or focused stays.
 *
 * @param {HTMLElement} list
 * @param {any[]} sessions
 * @param {Map<string, ReturnType<typeof card>>} cards
 */
function drawn(list, sessions, cards) {
  const now = new Set(sessions.map((one) => one.id));
  for (const [id, one] of cards) {
    if (!now.has(id)) {
      one.element.remove();
      cards.delete(id);
    }
  }
  if (!sessions.length) {
    if (!list.querySelector(".empty")) {
      fill(list, nothing("wave", "Nobody is talking", h("p", null, "Calls appear here as they begin. Make one in the ", h("a", { href: "/" }, "playground"), ".")));
    }
    return;
  }
  if (!cards.size) fill(list);
  for (const session of sessions) {
    let one = cards.get(session.id);
    if (!one) {
      one = card(session);
      cards.set(session.id, one);
      list.append(one.element);
    }
    one.draw(session);
  }
}

/** @param {any} session */
function card(session) {
  const state = h("div");
  const facts = h("p", { class: "soft small number" });
  const user = h("bdi", { class: "said" });
  const agent = h("bdi", { class: "said" });
  const serves = h("p", { class: "soft small" });
  let was = "";
  const element = h(
    "article",
    { class: "card snug stack tight" },
    h(
      "div",
      { class: "row spread" },
      state,
      h("a", { class: "small", href: `/console/sessions/${encodeURIComponent(session.id)}`, "aria-label": `Open call ${session.id}` }, "Open"),
    ),
    facts,
    h("div", { class: "exchange" }, h("span", { class: "badge user plain" }, "User"), user, h("span", { class: "badge agent plain" }, "Agent"), agent),
    serves,
  );
  return {
    element,
    /** @param {any} now */
    draw(now) {
      if (now.state !== was) {
        fill(state, stateBadge(now.state));
        was = now.state;
      }
      put(facts, `${duration(now.seconds)} · ${plural(now.turns, "turn")} · ${interruptions(now.interruptions)} · response ${ms(now.response_ms)}`);
      put(user, now.last_user ? clip(seen(now.last_user), 280) : "…");
      put(agent, now.last_agent ? clip(seen(now.last_agent), 280) : "…");
      put(serves, Object.values(now.providers ?? {}).join(" · "));
    },
  };
}

/** @param {number} count */
const interruptions = (count) => (count ? plural(count, "interruption") : `${number(0)} interruptions`);

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
