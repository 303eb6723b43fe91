/** The way around: beside the page on a wide screen, above it and folded on a narrow one. */

import { byId, fill, h, icon, mark } from "../shared/dom.js";
import { themeButton } from "../shared/theme.js";
import { me } from "./me.js";

export { mark };

/** @type {[string, string, Parameters<typeof icon>[0]][]} */
const WAYS = [
  ["/console", "Overview", "system"],
  ["/console/live", "Live", "wave"],
  ["/console/sessions", "Sessions", "list"],
  ["/console/agents", "Agents", "agent"],
  ["/console/providers", "Providers", "settings"],
  ["/console/usage", "Usage", "clock"],
  ["/console/keys", "Keys", "key"],
];

/** @type {HTMLButtonElement | undefined} */
let folded;

/**
 * @param {object} now
 * @param {URL} now.url
 * @param {() => Promise<void>} now.leave
 */
export function drawSide({ url, leave }) {
  const side = byId("side");
  const known = me();
  folded = h(
    "button",
    { class: "button quiet icon unfold", type: "button", "aria-expanded": "false", "aria-controls": "ways", "aria-label": "Menu" },
    icon("menu"),
  );
  folded.addEventListener("click", () => unfold(folded?.getAttribute("aria-expanded") !== "true"));
  side.classList.remove("unfolded");
  fill(
    side,
    h("a", { class: "brand", href: "/console" }, mark(), "Antiphon"),
    h("span", { class: "grow" }),
    themeButton(),
    known && folded,
    known &&
      h(
        "nav",
        { id: "ways", class: "ways", "aria-label": "Console" },
        h("ul", { role: "list" }, WAYS.map((way) => h("li", null, link(way, url)))),
        h(
          "ul",
          { role: "list", class: "others" },
          h("li", null, h("a", { href: "/" }, icon("microphone"), "Playground")),
          !known.development &&
            h("li", null, h("button", { type: "button", onclick: () => void leave() }, icon("out"), "Sign out")),
        ),
        standing(known),
      ),
  );
}

/**
 * @param {[string, string, Parameters<typeof icon>[0]]} way
 * @param {URL} url
 */
function link([path, name, picture], url) {
  const here = path === "/console" ? /^\/console\/?$/.test(url.pathname) : url.pathname.startsWith(path);
  return h("a", { href: path, "aria-current": here ? "page" : null }, icon(picture), name);
}

/** @param {import("./me.js").Me} known */
function standing(known) {
  return h(
    "div",
    { class: "standing small soft" },
    known.development
      ? h("p", { class: "open-door" }, "Development mode: no key is configured, so anybody who reaches this server may read it.")
      : h("p", null, "Signed in with ", h("bdi", { class: "said" }, known.key_id ?? "a key of the settings")),
    h("p", null, `Version ${known.version}`),
  );
}

/** @param {boolean} open */
function unfold(open) {
  folded?.setAttribute("aria-expanded", String(open));
  byId("side").classList.toggle("unfolded", open);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && folded?.getAttribute("aria-expanded") === "true") {
    unfold(false);
    folded.focus();
  }
});
