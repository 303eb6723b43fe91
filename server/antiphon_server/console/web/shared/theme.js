/** Light, dark, or as the system has it; remembered in this browser. */

import { fill, h, icon } from "./dom.js";

/** @typedef {"system" | "light" | "dark"} Theme */

const KEY = "antiphon.theme";
const NEXT = /** @type {const} */ ({ system: "light", light: "dark", dark: "system" });
const PICTURE = /** @type {const} */ ({ system: "system", light: "sun", dark: "moon" });

/** @returns {Theme} */
export function theme() {
  const kept = read();
  return kept === "light" || kept === "dark" ? kept : "system";
}

/** @param {Theme} wanted */
export function setTheme(wanted) {
  try {
    localStorage.setItem(KEY, wanted);
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
  show(wanted);
  // Charts are drawn in colours read from the page: they draw themselves again.
  window.dispatchEvent(new CustomEvent("theme", { detail: wanted }));
}

/** A button that goes through the three. @returns {HTMLButtonElement} */
export function themeButton() {
  const button = h("button", { class: "button quiet icon", type: "button" });
  const draw = () => {
    const now = theme();
    const words = `Colours: ${now === "system" ? "as the system" : now}. Change to ${NEXT[now]}.`;
    button.title = words;
    button.setAttribute("aria-label", words);
    fill(button, icon(PICTURE[now]));
  };
  button.addEventListener("click", () => {
    setTheme(NEXT[theme()]);
    draw();
  });
  draw();
  return button;
}

/**
 * A colour of tokens.css as the page has it now, for a canvas.
 *
 * @param {string} name such as `--user`
 * @returns {string}
 */
export function colour(name) {
  const probe = h("span", { style: { color: `var(${name})`, display: "none" } });
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** @param {Theme} wanted */
function show(wanted) {
  if (wanted === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
}

/** @returns {string | null} */
function read() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

show(theme());
