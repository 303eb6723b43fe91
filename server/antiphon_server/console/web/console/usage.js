/** What was used, by day or by key. */

import { api } from "../shared/api.js";
import { fill, h, icon, toast } from "../shared/dom.js";
import { duration, number } from "../shared/format.js";
import { saveBlob } from "./call_files.js";
import { draw } from "./charts.js";
import { head, into, nothing } from "./load.js";
import { go } from "./router.js";
import { table } from "./table.js";

const PAGE = 200;
const DAYS = /** @type {const} */ ([7, 30, 90]);
const DAY = 86_400;
/** @type {[string, string][]} */
const SUMS = [
  ["sessions", "Calls"],
  ["connected_seconds", "Connected"],
  ["prompt_tokens", "Tokens read"],
  ["completion_tokens", "Tokens written"],
  ["characters", "Characters spoken"],
];

/** @type {import("./router.js").Page["show"]} */
export async function usagePage({ url, main, signal }) {
  const by = url.searchParams.get("by") === "key" ? "key" : "day";
  const asked = Number(url.searchParams.get("days"));
  const days = DAYS.find((one) => one === asked) ?? 30;
  const content = h("div", { class: "stack loose" });
  /** @type {any[]} */
  let rows = [];
  const save = h("button", { type: "button", class: "button", onclick: () => exported(rows, by) }, icon("download"), "Export CSV");
  fill(main, head("Usage", choice(days, by), save), content);
  await into(content, {
    signal,
    shape: "page",
    work: () => all(by, days, signal),
    draw: (found) => {
      rows = found;
      save.disabled = !rows.length;
      if (rows.length) drawn(content, rows, by, days, signal);
      else fill(content, nothing("clock", "Nothing was used in this time", h("p", null, "Calls count here as they go on. Choose a longer time, or make a call in the ", h("a", { href: "/" }, "playground"), ".")));
    },
  });
}

/**
 * @param {string} by
 * @param {number} days
 * @param {AbortSignal} signal
 */
async function all(by, days, signal) {
  const from = new Date((Math.floor(Date.now() / 1000 / DAY) - days + 1) * DAY * 1000).toISOString();
  const rows = [];
  let cursor = "";
  do {
    const page = await api("/v1/usage", { query: { from, group_by: by, limit: PAGE, cursor }, signal });
    rows.push(...page.usage);
    cursor = page.has_more ? page.response_metadata.next_cursor : "";
  } while (cursor);
  return rows;
}

/**
 * @param {HTMLElement} where
 * @param {any[]} rows
 * @param {"day" | "key"} by
 * @param {number} days
 * @param {AbortSignal} signal
 */
function drawn(where, rows, by, days, signal) {
  const sum = (/** @type {string} */ name) => rows.reduce((all, row) => all + row[name], 0);
  const chart = h("div", { class: "chart" });
  fill(
    where,
    h("dl", { class: "grid stats" }, SUMS.map(([name, title]) => h("div", { class: "card snug stat" }, h("dt", null, title), h("dd", null, said(name, sum(name)))))),
    by === "day" && h("section", { class: "card stack", "aria-labelledby": "minutes" }, h("h2", { id: "minutes" }, "Minutes connected"), chart),
    table({
      caption: `Usage by ${by}`,
      rows,
      sorted: by === "day" ? { by: "Day", down: true } : { by: "Connected", down: true },
      columns: [
        by === "day"
          ? { name: "Day", cell: (row) => row.day, by: (row) => row.day, class: "tight" }
          : { name: "Key", cell: (row) => (row.key_id ? h("code", { class: "said" }, row.key_id) : h("span", { class: "soft" }, "Without a key")), by: (row) => row.key_id ?? "" },
        ...SUMS.map(([name, title]) => ({ name: title, cell: (/** @type {any} */ row) => said(name, row[name]), by: (/** @type {any} */ row) => row[name], number: true })),
      ],
    }),
  );
  if (by !== "day") return;
  const found = new Map(rows.map((row) => [row.day, row.connected_seconds / 60]));
  const today = Math.floor(Date.now() / 1000 / DAY);
  const at = Array.from({ length: days }, (_, place) => (today - days + 1 + place) * DAY);
  draw(chart, {
    title: "Minutes connected by day",
    at,
    unit: "count",
    bars: true,
    lines: [{ name: "Minutes", paint: "--accent", values: at.map((one) => Math.round(10 * (found.get(isoDay(one)) ?? 0)) / 10) }],
    axis: axisOf,
    moment: axisOf,
    signal,
  });
}

/** @param {number} one Unix seconds, of a day in UTC */
const axisOf = (one) => new Date(one * 1000).toLocaleDateString(undefined, { timeZone: "UTC", month: "short", day: "numeric" });

/** @param {number} at Unix seconds */
const isoDay = (at) => new Date(at * 1000).toISOString().slice(0, 10);

/**
 * @param {string} name
 * @param {number} value
 */
const said = (name, value) => (name === "connected_seconds" ? duration(value) : number(value));

/**
 * @param {any[]} rows
 * @param {"day" | "key"} by
 */
function exported(rows, by) {
  const names = [by === "day" ? "day" : "key_id", ...SUMS.map(([name]) => name)];
  const lines = [names, ...rows.map((row) => names.map((name) => cell(row[name])))];
  saveBlob(new Blob([lines.map((line) => `${line.join(",")}\r\n`).join("")], { type: "text/csv" }), `usage-by-${by}.csv`);
  toast("The table is saved");
}

/**
 * A value as RFC 4180 has it, and so that no table program takes it for a formula.
 *
 * @param {unknown} value
 */
function cell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value !== "number" ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * @param {number} days
 * @param {string} by
 */
function choice(days, by) {
  const to = (/** @type {number} */ length, /** @type {string} */ kind) => void go(`/console/usage?${new URLSearchParams({ days: String(length), by: kind })}`);
  return [
    h("div", { class: "segmented", role: "group", "aria-label": "Added up" }, ["day", "key"].map((one) => h("button", { type: "button", "aria-pressed": String(one === by), onclick: () => to(days, one) }, `By ${one}`))),
    h("div", { class: "segmented", role: "group", "aria-label": "Time" }, DAYS.map((one) => h("button", { type: "button", "aria-pressed": String(one === days), onclick: () => to(one, by) }, `${one} d`))),
  ];
}
