/** What opens over the page: the settings of a narrow window, the messages, the code. */

import { byId, copy, fill, icon } from "../shared/dom.js";
import { javascriptOf } from "./code_javascript.js";
import { pythonOf } from "./code_python.js";
import { EventsLog } from "./events_log.js";

/**
 * A dialog with its button to close; a click beside it closes it too.
 *
 * @param {string} id
 * @returns {HTMLDialogElement}
 */
function dialogOf(id) {
  const dialog = byId(id, HTMLDialogElement);
  const close = byId(`${id}-close`, HTMLButtonElement);
  fill(close, icon("close"));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && isOutside(event, dialog)) dialog.close();
  });
  return dialog;
}

/**
 * @param {MouseEvent} event
 * @param {HTMLElement} element
 */
function isOutside({ clientX: x, clientY: y }, element) {
  const box = element.getBoundingClientRect();
  return x < box.left || x > box.right || y < box.top || y > box.bottom;
}

/**
 * The settings: beside the conversation where there is room, a sheet where there is none.
 *
 * @param {HTMLElement} panel
 * @returns {() => void} opens them
 */
export function placeSettings(panel) {
  const side = byId("settings-side", HTMLElement);
  const body = byId("settings-sheet-body", HTMLElement);
  const sheet = dialogOf("settings-sheet");
  const wide = window.matchMedia("(width >= 75rem)");
  const place = () => {
    if (wide.matches && sheet.open) sheet.close();
    (wide.matches ? side : body).append(panel);
  };
  wide.addEventListener("change", place);
  place();
  return () => {
    if (wide.matches) panel.querySelector("select")?.focus();
    else sheet.showModal();
  };
}

/** @returns {{log: EventsLog, open: () => void}} the drawer of messages */
export function messagesDrawer() {
  const dialog = dialogOf("log");
  const log = new EventsLog({
    list: byId("log-list", HTMLElement),
    filter: byId("log-filter", HTMLInputElement),
    audio: byId("log-audio", HTMLInputElement),
    count: byId("log-count", HTMLElement),
  });
  const copying = byId("log-copy", HTMLButtonElement);
  const saving = byId("log-download", HTMLButtonElement);
  fill(copying, icon("copy"), "Copy");
  fill(saving, icon("download"), "Download");
  copying.addEventListener("click", () => void log.copy());
  saving.addEventListener("click", () =>
    log.download(`antiphon-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.jsonl`),
  );
  dialog.addEventListener("close", () => {
    log.isOpen = false;
  });
  const open = () => {
    log.isOpen = true;
    dialog.showModal();
    log.draw();
  };
  return { log, open };
}

/**
 * The dialog with the settings as a program.
 *
 * @param {() => {settings: import("./settings.js").Settings, tools: import("./tools.js").Tool[]}} now
 * @returns {() => void} opens it
 */
export function codeDialog(now) {
  const dialog = dialogOf("code");
  const text = byId("code-text", HTMLElement);
  const python = byId("code-python", HTMLButtonElement);
  const javascript = byId("code-javascript", HTMLButtonElement);
  const copying = byId("code-copy", HTMLButtonElement);
  fill(copying, icon("copy"), "Copy");
  const show = (/** @type {boolean} */ isPython) => {
    const { settings, tools } = now();
    text.textContent = (isPython ? pythonOf : javascriptOf)(settings, tools, location.origin);
    python.setAttribute("aria-pressed", String(isPython));
    javascript.setAttribute("aria-pressed", String(!isPython));
  };
  python.addEventListener("click", () => show(true));
  javascript.addEventListener("click", () => show(false));
  copying.addEventListener("click", () => void copy(text.textContent ?? ""));
  return () => {
    show(python.getAttribute("aria-pressed") === "true");
    dialog.showModal();
  };
}
