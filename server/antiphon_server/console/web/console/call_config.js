/** What a call was told to be, at first and later. */

import { h } from "../shared/dom.js";
import { plural, position } from "../shared/format.js";
import { code } from "./said.js";

/** @param {any} call */
export function configuration({ config, config_changes: changes }) {
  const inside = h("div", { class: "stack" });
  const drawn = () => {
    if (inside.childElementCount) return;
    inside.append(code(config, 20_000));
    for (const change of changes) {
      inside.append(h("h3", null, `Changed at ${position(change.at_ms)}`), code(change.config, 20_000));
    }
  };
  return h(
    "details",
    { class: "card snug", ontoggle: drawn },
    h("summary", null, h("h2", { class: "inline" }, "Configuration"), changes.length ? h("span", { class: "soft" }, `, changed ${plural(changes.length, "time")}`) : null),
    inside,
  );
}
