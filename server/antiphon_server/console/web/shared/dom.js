/**
 * Elements from code. Text is text: nothing here reads markup, so what callers, models and tools
 * said cannot become part of a page.
 */

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {Child | readonly Child[]} Children */

/**
 * An element.
 *
 * `class`, `for`, `data-*`, `aria-*`, `role` and other names are attributes (true is an empty
 * one; null, undefined and false leave it out); a function under a name like `onclick` is a
 * listener; `style` is an object of properties, `--custom` ones too; other properties that the
 * element has itself (`value`, `checked`, `disabled`) are set as properties.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any> | null} [props]
 * @param {...Children} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) give(element, name, value);
  append(element, children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * An SVG element; all of `props` are attributes.
 *
 * @param {string} tag
 * @param {Record<string, string | number>} [props]
 * @param {...Children} children
 * @returns {SVGElement}
 */
export function s(tag, props = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) element.setAttribute(name, String(value));
  append(element, children);
  return element;
}

/**
 * Puts `children` in the place of what an element had.
 *
 * @template {Element} E
 * @param {E} element
 * @param {...Children} children
 * @returns {E}
 */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/**
 * The element of this id, which the page has.
 *
 * @template {HTMLElement} [E=HTMLElement]
 * @param {string} id
 * @param {new () => E} [kind]
 * @returns {E}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!found || (kind && !(found instanceof kind))) throw new Error(`the page has no #${id}`);
  return /** @type {E} */ (found);
}

/**
 * @param {HTMLElement} element
 * @param {string} name
 * @param {any} value
 */
function give(element, name, value) {
  if (typeof value === "function" && name.startsWith("on")) {
    element.addEventListener(name.slice(2), value);
  } else if (name === "style") {
    for (const [property, set] of Object.entries(value)) {
      element.style.setProperty(property.replace(/[A-Z]/g, (one) => `-${one.toLowerCase()}`), set);
    }
  } else if (value === null || value === undefined || value === false) {
    if (name in element && typeof (/** @type {any} */ (element)[name]) === "boolean") {
      /** @type {any} */ (element)[name] = false;
    }
  } else if (PROPERTIES.has(name)) {
    /** @type {any} */ (element)[name] = value;
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "open", "indeterminate"]);

/**
 * @param {Element} element
 * @param {readonly Children[]} children
 */
function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child !== null && child !== undefined && child !== false) {
      element.append(child instanceof Node ? child : String(child));
    }
  }
}

/** Paths on a grid of 24; strokes of 1.75 in the colour of the text. */
const ICONS = {
  microphone: ["M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3Z", "M5 11v1a7 7 0 0 0 14 0v-1", "M12 19v3"],
  muted: ["M9 5.5A3 3 0 0 1 15 6v5", "M15 15a3 3 0 0 1-6-2V9", "M5 11v1a7 7 0 0 0 11 5.7", "M19 11v1a7 7 0 0 1-.6 2.8", "M12 19v3", "M4 3l16 18"],
  stop: ["M7 7h10v10H7Z"],
  send: ["M4 12l16-8-5 16-3.5-6.5Z", "M11.5 13.5L20 4"],
  settings: ["M4 7h10", "M18 7h2", "M4 17h2", "M10 17h10", "M14 7a2 2 0 1 0 4 0 2 2 0 1 0-4 0", "M6 17a2 2 0 1 0 4 0 2 2 0 1 0-4 0"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  check: ["M5 13l4 4L19 7"],
  copy: ["M9 9h11v11H9Z", "M15 9V4H4v11h5"],
  download: ["M12 4v11", "M7 11l5 5 5-5", "M5 20h14"],
  trash: ["M5 7h14", "M10 7V4h4v3", "M7 7l1 13h8l1-13"],
  search: ["M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14Z", "M16 16l5 5"],
  play: ["M8 5l11 7-11 7Z"],
  pause: ["M8 5v14", "M16 5v14"],
  link: ["M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.7-5.7L12 7", "M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.7 5.7L12 17"],
  plus: ["M12 5v14", "M5 12h14"],
  warning: ["M12 4l9 16H3Z", "M12 10v4", "M12 17v.5"],
  info: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z", "M12 11v5", "M12 8v.5"],
  tool: ["M14.5 6a4 4 0 0 0-5 5L4 16.5 7.5 20l5.5-5.5a4 4 0 0 0 5-5L15.5 12 12 8.5Z"],
  wave: ["M4 10v4", "M8 7v10", "M12 4v16", "M16 8v8", "M20 10v4"],
  clock: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z", "M12 7v5l3.5 2"],
  list: ["M8 6h12", "M8 12h12", "M8 18h12", "M4 6h.01", "M4 12h.01", "M4 18h.01"],
  key: ["M8 10a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z", "M11 11l8-8", "M16 6l3 3"],
  agent: ["M4 6h16v10H9l-5 4Z", "M9 11h.01", "M15 11h.01"],
  code: ["M9 7l-5 5 5 5", "M15 7l5 5-5 5"],
  sun: ["M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z", "M12 3v1", "M12 20v1", "M3 12h1", "M20 12h1", "M5.6 5.6l.7.7", "M17.7 17.7l.7.7", "M5.6 18.4l.7-.7", "M17.7 6.3l.7-.7"],
  moon: ["M20 14a8 8 0 1 1-10-10 6.5 6.5 0 0 0 10 10Z"],
  system: ["M4 5h16v11H4Z", "M9 20h6", "M12 16v4"],
  out: ["M14 5H5v14h9", "M10 12h10", "M17 9l3 3-3 3"],
  menu: ["M4 7h16", "M4 12h16", "M4 17h16"],
  external: ["M14 4h6v6", "M20 4l-9 9", "M18 14v6H4V6h6"],
};

/**
 * A picture beside words, hidden from screen readers.
 *
 * @param {keyof typeof ICONS} name
 * @returns {SVGElement}
 */
export function icon(name) {
  return s(
    "svg",
    {
      viewBox: "0 0 24 24",
      width: 24,
      height: 24,
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.75,
      "stroke-linecap": "round",
      "stroke-linejoin": "round",
      "aria-hidden": "true",
      focusable: "false",
    },
    ...ICONS[name].map((d) => s("path", { d })),
  );
}

/** The mark of the project: two voices, one answering the other. */
export function mark() {
  return s(
    "svg",
    { viewBox: "0 0 32 32", width: 32, height: 32, "aria-hidden": "true", focusable: "false" },
    s("path", { d: "M4 13v6M9 9v14M14 12v8", stroke: "var(--user)", "stroke-width": 3, "stroke-linecap": "round", fill: "none" }),
    s("path", { d: "M19 12v8M24 7v18M29 13v6", stroke: "var(--agent)", "stroke-width": 3, "stroke-linecap": "round", fill: "none" }),
  );
}

/** @type {HTMLElement | undefined} */
let speaker;

/**
 * Has a screen reader say something when it is done with what it says; for whole sentences.
 *
 * @param {string} words
 */
export function announce(words) {
  if (!speaker) {
    speaker = h("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });
    document.body.append(speaker);
  }
  const line = h("p", null, words);
  speaker.append(line);
  while (speaker.childElementCount > 5) speaker.firstElementChild?.remove();
}

/** @type {HTMLElement | undefined} */
let toasts;

/**
 * Words that pass by themselves, such as "Copied"; never the only place of an error.
 *
 * @param {string} words
 * @param {number} [milliseconds]
 */
export function toast(words, milliseconds = 4000) {
  if (!toasts) {
    toasts = h("div", { class: "toasts", role: "status" });
    document.body.append(toasts);
  }
  const one = h("div", { class: "toast" }, words);
  toasts.append(one);
  setTimeout(() => one.remove(), milliseconds);
}

/**
 * Copies text and says so.
 *
 * @param {string} text
 * @param {string} [said]
 */
export async function copy(text, said = "Copied") {
  try {
    await navigator.clipboard.writeText(text);
    toast(said);
  } catch {
    toast("The browser does not let this page copy. Select the text and copy it yourself.", 8000);
  }
}
