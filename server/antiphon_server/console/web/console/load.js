/** What a page shows while it waits, when it fails, and when there is nothing. */

import { ApiError } from "../shared/api.js";
import { fill, h, icon } from "../shared/dom.js";

/**
 * A page's heading, with what can be done beside it.
 *
 * @param {string | Node} title
 * @param {...import("../shared/dom.js").Children} beside
 */
export function head(title, ...beside) {
  return h("div", { class: "row spread head" }, h("h1", null, title), h("div", { class: "row" }, ...beside));
}

/**
 * Something is on its way: grey places of its shape, which stay unseen for the first 200 ms.
 * Gives a function that takes them away.
 *
 * @param {HTMLElement} where
 * @param {"page" | "rows" | "chart"} shape
 * @returns {() => void}
 */
export function shown(where, shape) {
  const lines = { page: ["h", "w", "w"], rows: ["r", "r", "r", "r", "r", "r"], chart: ["w"] }[shape];
  const bones = h(
    "div",
    { class: "stack bones", "aria-hidden": "true" },
    lines.map((line) => h("div", { class: `skeleton ${line}` })),
  );
  fill(where, bones);
  where.setAttribute("aria-busy", "true");
  return () => {
    where.removeAttribute("aria-busy");
    bones.remove();
  };
}

/**
 * Does `work` and draws what came of it; failures are shown in the same place, with another try.
 *
 * @template T
 * @param {HTMLElement} where
 * @param {object} task
 * @param {AbortSignal} task.signal
 * @param {"page" | "rows" | "chart"} [task.shape] none: what is there stays until there is more
 * @param {() => Promise<T>} task.work
 * @param {(found: T) => void} task.draw
 * @returns {Promise<void>}
 */
export async function into(where, { signal, shape, work, draw }) {
  const ready = shape ? shown(where, shape) : () => {};
  try {
    const found = await work();
    if (signal.aborted) return;
    ready();
    draw(found);
  } catch (error) {
    if (signal.aborted) return;
    ready();
    if (!(error instanceof ApiError)) console.error(error);
    if (error instanceof ApiError && error.status === 401) return;
    fill(where, failed(error, () => void into(where, { signal, shape: shape ?? "rows", work, draw })));
  }
}

/**
 * What went wrong, in words, with another try.
 *
 * @param {unknown} error
 * @param {() => void} [again]
 */
export function failed(error, again) {
  const refused = error instanceof ApiError ? error : null;
  return h(
    "div",
    { class: "notice bad", role: "alert" },
    icon("warning"),
    h(
      "div",
      { class: "stack tight grow" },
      h("p", null, refused ? refused.message : "This page failed. The browser's console says how."),
      refused?.status === 403 && h("p", { class: "small" }, "Sign in with a key that may do this, or ask for one."),
      refused?.requestId &&
        h("p", { class: "small soft" }, "In the server's log: ", h("code", null, refused.requestId)),
      again && h("div", { class: "row" }, h("button", { class: "button", type: "button", onclick: again }, "Try again")),
    ),
  );
}

/**
 * There is nothing, and why.
 *
 * @param {Parameters<typeof icon>[0]} picture
 * @param {string} title
 * @param {...import("../shared/dom.js").Children} says
 */
export function nothing(picture, title, ...says) {
  return h("div", { class: "card empty" }, icon(picture), h("h2", null, title), ...says);
}

/**
 * Does something now, and from then on again and again while the page is looked at, each time
 * `milliseconds` after it was done. Is over when it was done once.
 *
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} work shows by itself where it fails; what it throws at first is thrown
 */
export async function repeated(milliseconds, signal, work) {
  await work();
  const again = async () => {
    for (;;) {
      await passed(milliseconds, signal);
      if (document.hidden) await seenAgain(signal);
      if (signal.aborted) return;
      await work();
    }
  };
  void again();
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 */
function passed(milliseconds, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve(null)), { once: true });
  });
}

/** @param {AbortSignal} signal */
function seenAgain(signal) {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    document.addEventListener("visibilitychange", resolve, { once: true, signal });
    signal.addEventListener("abort", resolve, { once: true });
  });
}
