/** All calls, by what was said in them and how they went. */

import { api } from "../shared/api.js";
import { announce, fill, h, icon } from "../shared/dom.js";
import { duration, ms, number, plural, words } from "../shared/format.js";
import { head, into, nothing } from "./load.js";
import { me } from "./me.js";
import { go } from "./router.js";
import { firstWords } from "./said.js";
import { table } from "./table.js";
import { when } from "./when.js";

const PAGE = 50;
const NAMES = ["search", "status", "agent_id", "from", "to", "slow_ms", "errors"];

/** @type {import("./router.js").Page["show"]} */
export async function sessionsPage({ url, main, signal }) {
  const asked = url.searchParams;
  const found = h("div", { class: "stack" });
  const count = h("p", { class: "soft small" });
  fill(main, head("Sessions"), filters(asked, signal), count, found);
  await into(found, {
    signal,
    shape: "rows",
    work: () => api("/v1/console/sessions", { query: query(asked), signal }),
    draw: (list) => {
      const filtered = NAMES.some((name) => asked.get(name));
      count.textContent = list.total === null || list.total === undefined ? "" : plural(list.total, "call") + (filtered ? " found" : "");
      announce(count.textContent || "Loaded");
      fill(found, list.sessions.length ? lines(list.sessions) : empty(filtered), paging(url, list.next_cursor));
    },
  });
}

/**
 * What REST is asked: days of the form become moments of the place where the browser is.
 *
 * @param {URLSearchParams} asked
 */
function query(asked) {
  /** @type {Record<string, unknown>} */
  const all = { limit: PAGE, cursor: asked.get("cursor") };
  for (const name of NAMES) all[name] = asked.get(name);
  all.from = moment(asked.get("from"), 0);
  all.to = moment(asked.get("to"), 1);
  return all;
}

/**
 * @param {string | null} day
 * @param {number} after days
 */
function moment(day, after) {
  if (!day) return null;
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day);
  if (!parts) return day;
  return new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + after).toISOString();
}

/**
 * @param {URLSearchParams} asked
 * @param {AbortSignal} signal
 */
function filters(asked, signal) {
  const search = h("input", { type: "search", name: "search", value: asked.get("search") ?? "", placeholder: "Words, or an id", maxlength: "200" });
  const agents = h("select", { name: "agent_id" }, h("option", { value: "" }, "Any"));
  const chosen = asked.get("agent_id") ?? "";
  if (chosen) agents.append(h("option", { value: chosen, selected: true }, chosen));
  void agentChoice(agents, chosen, signal);
  const filtered = NAMES.some((name) => name !== "search" && asked.get(name));
  const more = h("button", { type: "button", class: "button quiet more", "aria-expanded": String(filtered) }, icon("settings"), "Filters");
  const form = h(
    "form",
    { class: `card snug filters ${filtered ? "unfolded" : ""}`, role: "search", "aria-label": "Calls" },
    field("Search", h("div", { class: "search" }, icon("search"), search), "search-field"),
    more,
    field("State", select("status", asked, { "": "Any", created: "Live", completed: "Over" })),
    field("Agent", agents),
    field("From", h("input", { type: "date", name: "from", value: day(asked.get("from")) })),
    field("To", h("input", { type: "date", name: "to", value: day(asked.get("to")) })),
    field("Slowest turn", select("slow_ms", asked, { "": "Any", 1000: "Over 1 s", 1500: "Over 1.5 s", 2000: "Over 2 s", 3000: "Over 3 s", 5000: "Over 5 s" })),
    h("label", { class: "choice" }, h("input", { type: "checkbox", name: "errors", value: "1", checked: asked.get("errors") === "1" }), "With errors"),
    h(
      "div",
      { class: "row" },
      h("button", { class: "button primary", type: "submit" }, "Show"),
      NAMES.some((name) => asked.get(name)) && h("a", { class: "button quiet", href: "/console/sessions" }, "Clear"),
    ),
  );
  const submit = () => {
    const given = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) given.set(name, String(value));
    const text = given.toString();
    void go(`/console/sessions${text ? `?${text}` : ""}`);
  };
  more.addEventListener("click", () => more.setAttribute("aria-expanded", String(form.classList.toggle("unfolded"))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  form.addEventListener("change", (event) => {
    if (event.target !== search) submit();
  });
  return form;
}

/**
 * @param {string} name
 * @param {HTMLElement} control
 * @param {string} [classes]
 */
function field(name, control, classes = "") {
  return h("label", { class: `field ${classes}`.trim() }, h("span", { class: "label" }, name), control);
}

/**
 * @param {string} name
 * @param {URLSearchParams} asked
 * @param {Record<string, string>} choices
 */
function select(name, asked, choices) {
  const now = asked.get(name) ?? "";
  const known = now in choices ? choices : { ...choices, [now]: now };
  // Numbers come first among a record's names; "any" is first here.
  const entries = Object.entries(known).sort(([a], [b]) => Number(b === "") - Number(a === ""));
  return h("select", { name }, entries.map(([value, text]) => h("option", { value, selected: value === now }, text)));
}

/** A date field takes a day; an address may have a moment. @param {string | null} value */
function day(value) {
  if (!value || /^\d{4}-\d\d-\d\d$/.test(value)) return value ?? "";
  const at = new Date(value);
  if (Number.isNaN(at.getTime())) return "";
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
}

/**
 * @param {HTMLSelectElement} select
 * @param {string} chosen
 * @param {AbortSignal} signal
 */
async function agentChoice(select, chosen, signal) {
  if (!me()?.scopes.includes("agents")) return;
  try {
    const { agents } = await api("/v1/agents", { query: { limit: 200 }, signal });
    for (const agent of agents) {
      const there = [...select.options].find((one) => one.value === agent.id);
      if (there) there.textContent = agent.name;
      else select.append(h("option", { value: agent.id, selected: agent.id === chosen }, agent.name));
    }
  } catch {
    // Filtering by agent is a convenience: the list itself shows what is wrong.
  }
}

/** @param {any[]} sessions */
function lines(sessions) {
  return table({
    caption: "Calls, newest first",
    rows: sessions,
    sorted: { by: "Began", down: true },
    href: (row) => `/console/sessions/${encodeURIComponent(row.id)}`,
    columns: [
      { name: "Began", cell: (row) => when(row.created_at), class: "tight" },
      { name: "First words", cell: (row) => firstWords(row.first_words), class: "wide" },
      { name: "Agent", cell: (row) => (row.agent_id ? h("bdi", { class: "said clip" }, row.agent_name ?? row.agent_id) : h("span", { class: "soft" }, "None")) },
      { name: "Ended", cell: ended },
      { name: "Length", cell: (row) => duration(row.duration_seconds), number: true },
      { name: "Turns", cell: (row) => number(row.turns), number: true },
      { name: "Median", cell: (row) => ms(row.response_p50_ms), number: true },
      { name: "Slowest", cell: (row) => ms(row.response_max_ms), number: true },
      { name: "Errors", cell: (row) => (row.errors ? h("span", { class: "badge bad plain" }, number(row.errors)) : h("span", { class: "soft" }, "0")), number: true },
    ],
  });
}

/** @param {any} row */
export function ended(row) {
  if (row.status === "created") return h("span", { class: "badge good live" }, "Live");
  /** @type {Record<string, [string, string]>} */
  const reasons = {
    client_ended: ["By the client", ""],
    client_left: ["Client left", "warn"],
    expired: ["Longest time", "warn"],
    failed: ["Error", "bad"],
    lost: ["Server stopped", "bad"],
  };
  const [name, how] = reasons[row.close_reason] ?? [row.close_reason ? words(row.close_reason) : "Over", ""];
  return how ? h("span", { class: `badge ${how}` }, name) : h("span", { class: "soft" }, name);
}

/** @param {boolean} filtered */
function empty(filtered) {
  return filtered
    ? nothing("search", "No call is like that", h("p", null, "Search for other words, or take a filter away."), h("a", { class: "button", href: "/console/sessions" }, "Show all calls"))
    : nothing("wave", "No calls yet", h("p", null, "Talk to the agent in the ", h("a", { href: "/" }, "playground"), "; the call appears here."));
}

/**
 * @param {URL} url
 * @param {string | null} next
 */
function paging(url, next) {
  const cursor = url.searchParams.get("cursor");
  if (!next && !cursor) return null;
  const to = (/** @type {string | null} */ where) => {
    const other = new URL(url);
    if (where) other.searchParams.set("cursor", where);
    else other.searchParams.delete("cursor");
    return other.pathname + other.search;
  };
  return h(
    "nav",
    { class: "row spread", "aria-label": "Pages" },
    cursor ? h("a", { class: "button", href: to(null) }, "Newest") : h("span"),
    next ? h("a", { class: "button", href: to(next), rel: "next" }, "Older") : h("span", { class: "soft small" }, "These are the oldest."),
  );
}
