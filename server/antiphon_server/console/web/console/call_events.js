/** The raw log of a call: every record of it, as it was stored. */

import { api } from "../shared/api.js";
import { announce, fill, h } from "../shared/dom.js";
import { plural, position, words } from "../shared/format.js";
import { failed } from "./load.js";
import { code } from "./said.js";

const PAGE = 100;

/**
 * @param {string} path of the call in REST
 * @param {AbortSignal} signal
 */
export function eventLog(path, signal) {
  const list = h("ol", { role: "list", class: "events" });
  const count = h("p", { class: "soft small" });
  const more = h("button", { type: "button", class: "button" }, "More");
  const kind = h("select", { "aria-label": "Kind of event", class: "short" }, h("option", { value: "" }, "All kinds"));
  const filter = h("input", { type: "search", "aria-label": "Words in an event", placeholder: "Filter", class: "short" });
  const below = h("div", { class: "row" }, more);
  /** @type {{event: any, text: string, element: HTMLElement}[]} */
  const all = [];
  let after = -1;

  const sieve = () => {
    const wanted = filter.value.trim().toLowerCase();
    let seenOnes = 0;
    for (const { event, text, element } of all) {
      element.hidden = Boolean((kind.value && event.kind !== kind.value) || (wanted && !text.includes(wanted)));
      if (!element.hidden) seenOnes += 1;
    }
    count.textContent = seenOnes === all.length ? plural(all.length, "event") : `${seenOnes} of ${plural(all.length, "event")}`;
  };
  const load = async () => {
    more.disabled = true;
    try {
      const page = await api(`${path}/events`, { query: { after, limit: PAGE }, signal });
      for (const event of page.events) {
        const one = { event, text: JSON.stringify(event).toLowerCase(), element: line(event) };
        all.push(one);
        list.append(one.element);
        if (![...kind.options].some((option) => option.value === event.kind)) {
          kind.append(h("option", { value: event.kind }, words(event.kind)));
        }
      }
      after = page.next ?? after;
      more.hidden = page.next === null || page.next === undefined;
      fill(below, more);
      sieve();
      announce(count.textContent ?? "");
    } catch (error) {
      if (!signal.aborted) fill(below, failed(error, () => void load()));
    } finally {
      more.disabled = false;
    }
  };
  more.addEventListener("click", () => void load());
  kind.addEventListener("change", sieve);
  filter.addEventListener("input", sieve);
  return h(
    "details",
    { class: "card snug", ontoggle: () => all.length || void load() },
    h("summary", null, h("h2", { class: "inline" }, "Event log")),
    h("div", { class: "stack" }, h("div", { class: "row spread" }, h("div", { class: "row" }, kind, filter), count), list, below),
  );
}

/** @param {any} event */
function line(event) {
  const { seq, at_ms, kind, ...rest } = event;
  const body = h("div");
  const short = JSON.stringify(rest).slice(0, 300);
  return h(
    "li",
    null,
    h(
      "details",
      { ontoggle: () => body.childElementCount || body.append(code(rest)) },
      h(
        "summary",
        null,
        h("span", { class: "number soft" }, `${seq}`),
        h("span", { class: "number" }, position(at_ms)),
        h("span", { class: "kind" }, words(kind)),
        h("code", { class: "said clip soft" }, short),
      ),
      body,
    ),
  );
}
