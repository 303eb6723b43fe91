/** Charts by uPlot, in the page's colours, with a table of the same numbers for whoever asks. */

import uPlot from "uplot";

import { fill, h } from "../shared/dom.js";
import { ms, number } from "../shared/format.js";
import { colour } from "../shared/theme.js";

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} paint a colour of tokens.css
 * @property {(number | null)[]} values
 * @property {boolean} [dashed]
 */

/**
 * @typedef {object} Chart
 * @property {string} title
 * @property {number[]} at Unix seconds, going up
 * @property {Line[]} lines
 * @property {"ms" | "count"} [unit]
 * @property {boolean} [bars]
 * @property {AbortSignal} signal after which it is not drawn again
 * @property {(at: number) => string} [axis] a place on the axis in words
 * @property {(at: number) => string} [moment] the same beside a value
 */

const HEIGHT = 260;
const said = { ms, count: number };

/**
 * Puts a chart into an element that is in the page.
 *
 * @param {HTMLElement} where
 * @param {Chart} chart
 */
export function draw(where, chart) {
  const place = h("div", { class: "plot", role: "img", "aria-label": inWords(chart) });
  fill(where, place, numbers(chart));
  /** @type {uPlot | undefined} */
  let plot;
  const again = () => {
    plot?.destroy();
    if (!place.isConnected) return;
    plot = new uPlot(options(chart, place.clientWidth), data(chart), place);
  };
  again();
  const watcher = new ResizeObserver(() => {
    if (plot && place.clientWidth && place.clientWidth !== plot.width) plot.setSize({ width: place.clientWidth, height: HEIGHT });
  });
  watcher.observe(place);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  window.addEventListener("theme", again, { signal: chart.signal });
  dark.addEventListener("change", again, { signal: chart.signal });
  chart.signal.addEventListener("abort", () => {
    watcher.disconnect();
    plot?.destroy();
  });
}

/**
 * @param {Chart} chart
 * @returns {uPlot.AlignedData}
 */
function data({ at, lines }) {
  return /** @type {uPlot.AlignedData} */ ([at, ...lines.map((one) => one.values)]);
}

/**
 * @param {Chart} chart
 * @param {number} width
 * @returns {uPlot.Options}
 */
function options({ lines, unit = "ms", bars = false, axis: place, moment }, width) {
  const ink = colour("--ink-soft");
  const grid = { stroke: colour("--line"), width: 1 };
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: ink, grid, ticks: { ...grid, size: 4 }, font };
  const paths = bars && uPlot.paths.bars ? { paths: uPlot.paths.bars({ size: [0.7, 48], radius: 0.1 }) } : {};
  return {
    width,
    height: HEIGHT,
    cursor: { points: { size: 7 }, drag: { setScale: false } },
    scales: { x: { range: (plot, least, most) => (bars ? padded(plot, least, most) : [least, most]) }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
    axes: [
      { ...axis, size: 32, ...(place ? { values: (_, splits) => splits.map((one) => place(one)) } : {}), ...(bars ? { grid: { show: false } } : {}) },
      { ...axis, size: 72, values: (_, splits) => splits.map((one) => said[unit](one)) },
    ],
    series: [
      { ...(moment ? { value: (_, at) => (at === null ? "–" : moment(at)) } : {}), label: "Time" },
      ...lines.map((one) => ({
        label: one.name,
        stroke: colour(one.paint),
        width: bars ? 0 : 2,
        ...(one.dashed ? { dash: [6, 4] } : {}),
        ...(bars ? { fill: colour(one.paint) } : {}),
        ...paths,
        // A hole is a time without calls, not a fall to nothing.
        spanGaps: false,
        points: { show: !bars && one.values.filter((each) => each !== null).length < 40, size: 5 },
        value: (/** @type {uPlot} */ _, /** @type {number | null} */ value) => said[unit](value),
      })),
    ],
  };
}

/**
 * Room for half a bar at both ends.
 *
 * @param {uPlot} plot
 * @param {number} least
 * @param {number} most
 * @returns {[number, number]}
 */
function padded(plot, least, most) {
  const half = (most - least) / (2 * Math.max(1, (plot.data[0]?.length ?? 2) - 1));
  return [least - half, most + half];
}

/** @param {Chart} chart */
function inWords({ title, lines, unit = "ms" }) {
  const parts = lines.map((one) => {
    const values = one.values.filter((value) => value !== null);
    if (!values.length) return `${one.name}: nothing`;
    return `${one.name}: from ${said[unit](Math.min(...values))} to ${said[unit](Math.max(...values))}`;
  });
  return `${title}. ${parts.join(". ")}`;
}

/** @param {Chart} chart */
function numbers({ title, at, lines, unit = "ms", moment }) {
  const says = moment ?? ((/** @type {number} */ one) => new Date(one * 1000).toLocaleString());
  const inside = h("div");
  const drawn = () => {
    const rows = at
      .map((one, place) => ({ one, values: lines.map((line) => line.values[place] ?? null) }))
      .filter(({ values }) => values.some((value) => value !== null))
      .reverse();
    fill(
      inside,
      h(
        "div",
        { class: "table-wrap low", tabindex: "0", role: "region", "aria-label": `${title}, as a table` },
        h(
          "table",
          null,
          h("caption", { class: "visually-hidden" }, title),
          h("thead", null, h("tr", null, h("th", { scope: "col" }, "Time"), lines.map((line) => h("th", { scope: "col", class: "number" }, line.name)))),
          h("tbody", null, rows.map(({ one, values }) => h("tr", null, h("th", { scope: "row" }, says(one)), values.map((value) => h("td", { class: "number" }, said[unit](value)))))),
        ),
      ),
    );
  };
  return h("details", { class: "small", ontoggle: () => inside.childElementCount || drawn() }, h("summary", null, "The numbers"), inside);
}
