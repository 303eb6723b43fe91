/** How the providers of each stage do. */

import { api, ApiError } from "../shared/api.js";
import { fill, h } from "../shared/dom.js";
import { date, ms, number, plural, seen, words } from "../shared/format.js";
import { failed, head, nothing, repeated, shown } from "./load.js";

const EVERY = 5000;
/** @type {Record<string, [string, string, string]>} */
const BREAKERS = {
  closed: ["Is asked", "good", "It works, as far as is known."],
  open: ["Left alone", "bad", "It failed too often and is not asked for a while."],
  half_open: ["Being tried", "warn", "It is asked once, to see whether it works again."],
};

/** @type {import("./router.js").Page["show"]} */
export async function providersPage({ main, signal }) {
  const list = h("div", { class: "stack loose" });
  const when = h("p", { class: "soft small" });
  let ready = shown(main, "page");
  let had = "";
  let first = true;
  await repeated(EVERY, signal, async () => {
    try {
      const { stages } = await api("/v1/operator/providers", { signal });
      ready();
      if (first) fill(main, head("Providers", when), list);
      first = false;
      ready = () => {};
      when.textContent = `As of ${new Date().toLocaleTimeString()}`;
      const now = JSON.stringify(stages);
      if (now === had) return;
      had = now;
      kept(list, () => fill(list, stages.length ? stages.map(stageCard) : nothing("system", "No stages", h("p", null, "This server serves no calls."))));
    } catch (error) {
      if (signal.aborted || (error instanceof ApiError && error.status === 401)) return;
      ready();
      // Whoever may not see this is told so by the page around it.
      if (first && error instanceof ApiError && error.status === 403) throw error;
      if (first) fill(main, head("Providers", when), list);
      first = false;
      had = "";
      if (!list.querySelector(".notice.bad[role=alert]")) fill(list, failed(error));
    }
  });
}

/**
 * Draws again with the same parts open.
 *
 * @param {HTMLElement} list
 * @param {() => void} redraw
 */
function kept(list, redraw) {
  const open = new Set([...list.querySelectorAll("details[open]")].map((one) => one.id));
  redraw();
  for (const one of list.querySelectorAll("details")) if (open.has(one.id)) one.open = true;
}

/** @param {any} stage */
function stageCard(stage) {
  const id = `stage-${stage.stage}`;
  return h(
    "section",
    { class: "card stack", "aria-labelledby": id },
    h(
      "div",
      { class: "row spread" },
      h("h2", { id }, words(stage.stage)),
      h("p", null, h("span", { class: "soft" }, "Served by "), h("bdi", { class: "said strong" }, seen(stage.serves))),
    ),
    table(stage, id),
    events(stage),
    h("p", { class: "soft small" }, `Version ${stage.version}, since ${date(stage.since)}`),
  );
}

/**
 * @param {any} stage
 * @param {string} id
 */
function table(stage, id) {
  const heads = ["Provider", "State", "First answer", "Whole answer", "Attempts", "Failed", "Hedges won"];
  return h(
    "div",
    { class: "table-wrap cards bare", tabindex: "0", role: "region", "aria-labelledby": id },
    h(
      "table",
      null,
      h("caption", { class: "visually-hidden" }, `Providers of ${words(stage.stage)}, in order of preference`),
      h("thead", null, h("tr", null, heads.map((one, place) => h("th", { scope: "col", class: place > 1 ? "number" : null }, one)))),
      h("tbody", null, stage.providers.map((/** @type {any} */ one) => line(one, stage.serves, heads))),
    ),
  );
}

/**
 * @param {any} one
 * @param {string} serves
 * @param {string[]} heads
 */
function line(one, serves, heads) {
  const { first, finish } = one.latency_ms;
  const failures = Object.entries(one.errors);
  /** @type {import("../shared/dom.js").Children[]} */
  const cells = [
    [h("bdi", { class: "said strong" }, seen(one.name)), one.model && h("span", { class: "soft small said block" }, seen(one.model)), one.name === serves && h("span", { class: "visually-hidden" }, " serves")],
    breaker(one.breaker),
    both(first),
    both(finish),
    number(one.attempts),
    one.failures ? [h("span", { class: "badge bad plain" }, number(one.failures)), failures.map(([code, count]) => h("span", { class: "small soft block" }, `${words(code)}: ${count}`))] : "0",
    one.hedges_started ? `${number(one.hedges_won)} of ${number(one.hedges_started)}` : "–",
  ];
  return h("tr", null, cells.map((content, place) => h("td", { "data-name": heads[place], class: place > 1 ? "number" : place ? null : "wide" }, content)));
}

/** @param {{p50: number | null, p95: number | null}} times */
function both({ p50, p95 }) {
  return p50 === null ? ms(null) : [ms(p50), h("span", { class: "small soft block" }, `p95 ${ms(p95)}`)];
}

/** @param {string | null} state */
function breaker(state) {
  if (state === null) return h("span", { class: "badge plain", title: "Nobody could stand in for it, so it is always asked." }, "Alone");
  const [name, how, means] = BREAKERS[state] ?? [words(state), "", ""];
  return h("span", { class: `badge ${how}`, title: means }, name);
}

/** @param {any} stage */
function events({ stage, switches, routed }) {
  if (!switches.length && !routed?.length) return null;
  return h(
    "details",
    { id: `more-${stage}` },
    h("summary", null, plural(switches.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.count, 0), "switch", "switches")),
    h(
      "ul",
      { class: "small" },
      switches.map((/** @type {any} */ one) => h("li", null, h("bdi", { class: "said" }, seen(one.to)), " for ", h("bdi", { class: "said" }, seen(one.provider)), `: ${words(one.reason)}, ${plural(one.count, "time")}`)),
      (routed ?? []).map((/** @type {any} */ one) => h("li", null, `Routed to ${seen(one.provider)} as ${words(one.reason).toLowerCase()}: ${plural(one.count, "turn")}`)),
    ),
  );
}
