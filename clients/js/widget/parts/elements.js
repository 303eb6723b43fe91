/** What the talk button is made of. */

const ICONS = {
  microphone: "M12 15a3.5 3.5 0 0 0 3.5-3.5v-5a3.5 3.5 0 1 0-7 0v5A3.5 3.5 0 0 0 12 15Z"
    + "M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3.5",
  stroke: "M4 4l16 16",
};

/**
 * All of it, not filled in yet.
 *
 * @param {{ mute: string, transcript: string }} words
 */
export function parts(words) {
  const talk = element("button", { type: "button", part: "button", class: "talk" });
  const label = element("span", { class: "label" });
  talk.append(element("span", { class: "ring", "aria-hidden": "true" }), icon("microphone"), label);
  const mute = element("button", {
    type: "button", part: "mute", class: "mute", "aria-label": words.mute, "aria-pressed": "false",
  });
  mute.append(icon("microphone", "stroke"));
  const status = element("p", { role: "status", part: "status", class: "status" });
  const lines = element("div", {
    role: "log", part: "transcript", class: "lines", tabindex: "0", "aria-label": words.transcript,
  });
  const row = element("div", { class: "row" });
  row.append(talk, mute, status);
  const box = element("div", { part: "box", class: "box" });
  box.append(row, lines);
  return { box, talk, label, mute, status, lines };
}

/**
 * An element of HTML.
 *
 * @param {string} name
 * @param {Record<string, string>} [attributes]
 * @param {string} [text]
 */
export function element(name, attributes = {}, text = "") {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

/** @param {(keyof typeof ICONS)[]} names */
function icon(...names) {
  const space = "http://www.w3.org/2000/svg";
  const made = document.createElementNS(space, "svg");
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("aria-hidden", "true");
  for (const name of names) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", ICONS[name]);
    path.setAttribute("class", name);
    made.append(path);
  }
  return made;
}
