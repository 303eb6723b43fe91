/** How the server does: response times, what goes on, and which calls were slow. */

import { api } from "../shared/api.js";
import { fill, h } from "../shared/dom.js";
import { ms, NOTHING, number } from "../shared/format.js";
import { STAGES } from "../shared/waterfall.js";
import { draw } from "./charts.js";
import { head, into, nothing, repeated } from "./load.js";
import { go } from "./router.js";
import { firstWords } from "./said.js";
import { table } from "./table.js";
import { axis, exactly, when } from "./when.js";

/** @type {Record<string, {name: string, seconds: number, points: number}>} */
const RANGES = {
  "1h": { name: "1 h", seconds: 3600, points: 60 },
  "24h": { name: "24 h", seconds: 86_400, points: 96 },
  "7d": { name: "7 d", seconds: 7 * 86_400, points: 84 },
  "30d": { name: "30 d", seconds: 30 * 86_400, points: 90 },
};
const SLOWEST = 8;
const NOT_LONG = 60_000;
/** The slowest are looked for among so many of the latest. */
const RECENT = 100;

/** @type {import("./router.js").Page["show"]} */
export async function overviewPage({ url, main, signal }) {
  const range = RANGES[url.searchParams.get("range") ?? ""] ? (url.searchParams.get("range") ?? "24h") : "24h";
  const stage = url.searchParams.get("stage") ?? "response";
  const stats = h("dl", { class: "grid stats" });
  const chart = h("div", { class: "chart" });
  const slow = h("div");
  fill(
    main,
    head("Overview", choice(range, stage)),
    stats,
    h(
      "section",
      { class: "card stack", "aria-labelledby": "times" },
      h(
        "div",
        { class: "row spread" },
        h("h2", { id: "times" }, stage === "response" ? "Response time" : `Time of: ${STAGES[stage]?.name ?? stage}`),
        stageChoice(stage, range),
      ),
      h("p", { class: "soft small" }, meaning(stage)),
      chart,
    ),
    h("section", { class: "stack", "aria-labelledby": "slowest" }, h("h2", { id: "slowest" }, "Slowest calls"), slow),
  );
  /** @type {{name: string, value: HTMLElement, href?: string}[]} */
  const cells = [
    { name: "Live now", value: h("dd", null, NOTHING), href: "/console/live" },
    { name: "Calls today", value: h("dd", null, NOTHING), href: `/console/sessions?from=${today()}` },
    { name: "With errors today", value: h("dd", null, NOTHING), href: `/console/sessions?from=${today()}&errors=1` },
    { name: `Response p50, ${RANGES[range]?.name}`, value: h("dd", null, NOTHING) },
    { name: `Response p95, ${RANGES[range]?.name}`, value: h("dd", null, NOTHING) },
  ];
  fill(
    stats,
    cells.map(({ name, value, href }) =>
      h("div", { class: "card snug stat" }, h("dt", null, href ? h("a", { href }, name) : name), value),
    ),
  );
  await Promise.all([
    repeated(5000, signal, () => counts(cells, signal)),
    repeated(NOT_LONG, signal, () => times({ range, stage, chart, cells, signal })),
    into(slow, {
      signal,
      shape: "rows",
      work: () => api("/v1/console/sessions", { query: { from: since(range), limit: RECENT }, signal }),
      draw: ({ sessions }) => fill(slow, slowest(sessions)),
    }),
  ]);
}

/**
 * @param {{value: HTMLElement}[]} cells
 * @param {AbortSignal} signal
 */
async function counts(cells, signal) {
  try {
    const query = { from: today(), limit: 1 };
    const [live, all, bad] = await Promise.all([
      api("/v1/console/live", { signal }),
      api("/v1/console/sessions", { query, signal }),
      api("/v1/console/sessions", { query: { ...query, errors: 1 }, signal }),
    ]);
    [live.sessions.length, all.total, bad.total].forEach((value, place) => {
      const cell = cells[place]?.value;
      if (cell && cell.textContent !== number(value)) cell.textContent = number(value);
    });
    cells[2]?.value.classList.toggle("bad", bad.total > 0);
  } catch {
    // The chart below says that the server is away; old counts would be worse than none.
    if (!signal.aborted) for (const { value } of cells.slice(0, 3)) value.textContent = NOTHING;
  }
}

/**
 * @param {object} what
 * @param {string} what.range
 * @param {string} what.stage
 * @param {HTMLElement} what.chart
 * @param {{value: HTMLElement}[]} what.cells
 * @param {AbortSignal} what.signal
 */
function times({ range, stage, chart, cells, signal }) {
  const { points = 96 } = RANGES[range] ?? {};
  return into(chart, {
    signal,
    ...(chart.childElementCount ? {} : { shape: "chart" }),
    work: () =>
      Promise.all([
        api("/v1/console/latency", { query: { from: since(range), points }, signal }),
        // Percentiles of parts do not add up to those of the whole: that is asked for by itself.
        api("/v1/console/latency", { query: { from: since(range), points: 1 }, signal }),
      ]),
    draw: ([found, whole]) => {
      const series = byTime(found, stage);
      summary(cells, whole.stages.response ?? []);
      if (!series.some((one) => one.count)) {
        fill(chart, nothing("clock", "No turns in this time", h("p", null, "Choose a longer time, or talk to the agent in the ", h("a", { href: "/" }, "playground"), ".")));
        return;
      }
      draw(chart, {
        title: `${STAGES[stage]?.name ?? "Response"} over ${RANGES[range]?.name}`,
        at: series.map((one) => one.at),
        lines: [
          { name: "p50", paint: "--user", values: series.map((one) => one.p50) },
          { name: "p95", paint: "--agent", values: series.map((one) => one.p95), dashed: true },
        ],
        axis: axis(RANGES[range]?.seconds ?? 0),
        moment: exactly,
        signal,
      });
    },
  });
}

/** @typedef {{at: number, count: number, p50: number | null, p95: number | null}} Point */

/**
 * Every step of the time that was asked for, also those without a turn.
 *
 * @param {any} found
 * @param {string} stage
 * @returns {Point[]}
 */
function byTime(found, stage) {
  const step = found.step_seconds;
  /** @type {Map<number, Point>} */
  const known = new Map();
  for (const one of found.stages[stage] ?? []) {
    const at = new Date(one.at).getTime() / 1000;
    known.set(Math.floor(at / step), { ...one, at });
  }
  const first = Math.floor(new Date(found.from).getTime() / 1000 / step);
  const last = Math.floor(new Date(found.to).getTime() / 1000 / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, place) => {
    const one = known.get(first + place);
    return one ?? { at: (first + place) * step, count: 0, p50: null, p95: null };
  });
}

/**
 * @param {{value: HTMLElement}[]} cells
 * @param {Point[]} points of the whole time, of which there may be two where it begins within a step
 */
function summary(cells, points) {
  const most = points.reduce((/** @type {Point | null} */ best, one) => (one.count > (best?.count ?? 0) ? one : best), null);
  for (const [place, name] of /** @type {const} */ ([[3, "p50"], [4, "p95"]])) {
    const cell = cells[place]?.value;
    if (cell) cell.textContent = ms(most?.[name]);
  }
}

/** @param {any[]} sessions */
function slowest(sessions) {
  const rows = sessions
    .filter((one) => one.response_max_ms !== null && one.response_max_ms !== undefined)
    .sort((a, b) => b.response_max_ms - a.response_max_ms)
    .slice(0, SLOWEST);
  if (!rows.length) return nothing("wave", "No calls yet", h("p", null, "Talk to the agent in the ", h("a", { href: "/" }, "playground"), "; the call appears here."));
  return table({
    caption: "Calls with the slowest turns",
    rows,
    href: (row) => `/console/sessions/${encodeURIComponent(row.id)}#slowest`,
    columns: [
      { name: "Began", cell: (row) => when(row.created_at), class: "tight" },
      { name: "First words", cell: (row) => firstWords(row.first_words), class: "wide" },
      { name: "Slowest", cell: (row) => ms(row.response_max_ms), number: true },
      { name: "Median", cell: (row) => ms(row.response_p50_ms), number: true },
    ],
  });
}

/**
 * @param {string} range
 * @param {string} stage
 */
function choice(range, stage) {
  return h(
    "div",
    { class: "segmented", role: "group", "aria-label": "Time" },
    Object.entries(RANGES).map(([id, { name }]) =>
      h("button", { type: "button", "aria-pressed": String(id === range), onclick: () => void go(address(id, stage)) }, name),
    ),
  );
}

/**
 * @param {string} stage
 * @param {string} range
 */
function stageChoice(stage, range) {
  const all = { response: { name: "Response" }, ...STAGES };
  const select = h(
    "select",
    { "aria-label": "Stage", class: "short" },
    Object.entries(all).map(([id, { name }]) => h("option", { value: id, selected: id === stage }, name)),
  );
  select.addEventListener("change", () => void go(address(range, select.value), { replace: true }));
  return select;
}

/**
 * @param {string} range
 * @param {string} stage
 */
const address = (range, stage) => `/console?${new URLSearchParams({ range, stage })}`;

/** @param {string} stage */
const meaning = (stage) =>
  STAGES[stage]?.means ?? "From the end of the user's speech to the first sound of the answer.";

/** @param {string} range */
const since = (range) => new Date(Date.now() - (RANGES[range]?.seconds ?? 0) * 1000).toISOString();

/** The first moment of today, here. */
function today() {
  const now = new Date();
  return new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString();
}
