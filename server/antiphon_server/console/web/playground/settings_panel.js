/** The panel around the settings: what a call that runs makes of a change. */

import { fill, h } from "../shared/dom.js";

/** @typedef {ReturnType<typeof import("./session_of.js").change>} Change */

/**
 * @returns {{element: HTMLElement, fields: HTMLElement, tellChange: (change: Change | null) => void, onapply: () => void}}
 */
export function settingsPanel() {
  const fields = h("div", { class: "settings-form" });
  const told = h("div", { class: "apply", role: "status", hidden: "" });
  const panel = {
    element: h(
      "div",
      { class: "settings-panel" },
      h("h2", { class: "visually-hidden" }, "Settings"),
      fields,
      told,
    ),
    fields,
    onapply: () => {},
    /** @param {Change | null} change null while there is no call */
    tellChange: (change) => {
      const says = change !== null && (change.update !== null || change.needsNewCall.length > 0);
      told.hidden = !says;
      if (!says) return;
      fill(
        told,
        change.update &&
          h(
            "button",
            { class: "button primary", type: "button", onclick: () => panel.onapply() },
            "Apply to this call",
          ),
        change.needsNewCall.length > 0 &&
          h("p", { class: "small soft" }, `With the next call: ${inWords(change.needsNewCall)}.`),
      );
    },
  };
  return panel;
}

/** @param {string[]} names */
const inWords = (names) => new Intl.ListFormat("en").format(names);
