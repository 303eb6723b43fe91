/** Tables: headings that sort, lines that can be walked by keyboard, cards on a phone. */

import { fill, h } from "../shared/dom.js";

/**
 * @template T
 * @typedef {object} Column
 * @property {string} name
 * @property {(row: T) => import("../shared/dom.js").Children} cell
 * @property {(row: T) => string | number} [by] what it is sorted by; none: it is not
 * @property {boolean} [number]
 * @property {string} [class]
 */

/**
 * @template T
 * @param {object} options
 * @param {string} options.caption for who cannot see what stands above it
 * @param {Column<T>[]} options.columns
 * @param {T[]} options.rows
 * @param {{by: string, down: boolean}} [options.sorted] how it is at first
 * @param {(row: T) => string | null} [options.href] where a line leads
 * @returns {HTMLElement}
 */
export function table({ caption, columns, rows, sorted, href }) {
  const body = h("tbody");
  let order = sorted;
  const draw = () => {
    const column = columns.find((one) => one.name === order?.by);
    const by = column?.by;
    const lines = by && order ? [...rows].sort((a, b) => compare(by(a), by(b)) * (order?.down ? -1 : 1)) : rows;
    fill(body, lines.map((row) => line(row, columns, href)));
  };
  const heads = columns.map((column) => heading(column));
  const mark = () => {
    for (const [place, column] of columns.entries()) {
      const way = column.name !== order?.by ? null : order.down ? "descending" : "ascending";
      if (way) heads[place]?.setAttribute("aria-sort", way);
      else heads[place]?.removeAttribute("aria-sort");
    }
  };
  for (const [place, column] of columns.entries()) {
    heads[place]?.querySelector("button")?.addEventListener("click", () => {
      order = { by: column.name, down: order?.by === column.name ? !order.down : Boolean(column.number) };
      draw();
      mark();
    });
  }
  draw();
  mark();
  body.addEventListener("keydown", walk);
  return h(
    "div",
    { class: "table-wrap cards" },
    h(
      "table",
      null,
      h("caption", { class: "visually-hidden" }, caption),
      h("thead", null, h("tr", null, heads)),
      body,
    ),
  );
}

/**
 * @template T
 * @param {Column<T>} column
 */
function heading(column) {
  const name = column.by ? h("button", { type: "button", class: "sorter" }, column.name) : column.name;
  return h("th", { scope: "col", class: column.number ? "number" : null }, name);
}

/**
 * @template T
 * @param {T} row
 * @param {Column<T>[]} columns
 * @param {((row: T) => string | null) | undefined} href
 */
function line(row, columns, href) {
  const to = href?.(row);
  return h(
    "tr",
    { class: to ? "leads" : null },
    columns.map((column, place) => {
      const classes = [column.number && "number", column.class].filter(Boolean).join(" ");
      const content = column.cell(row);
      return h(
        "td",
        { class: classes || null, "data-name": column.name },
        to && place === 0 ? h("a", { href: to, class: "whole" }, content) : content,
      );
    }),
  );
}

/**
 * Arrows (and j, k) go from line to line.
 *
 * @param {KeyboardEvent} event
 */
function walk(event) {
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  const target = event.target;
  if (!step || !(target instanceof HTMLElement) || !target.matches("a.whole")) return;
  const links = [...(target.closest("tbody")?.querySelectorAll("a.whole") ?? [])];
  const next = links[links.indexOf(target) + step];
  if (!(next instanceof HTMLElement)) return;
  event.preventDefault();
  next.focus();
}

/**
 * @param {string | number} a
 * @param {string | number} b
 */
function compare(a, b) {
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}
