/** Questions that want an answer before anything happens. */

import { h } from "../shared/dom.js";

/**
 * @param {object} question
 * @param {string} question.title
 * @param {string} question.says
 * @param {string} question.does the button that does it
 * @param {boolean} [question.danger]
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, says, does, danger = false }) {
  const yes = h("button", { class: danger ? "button danger" : "button primary", value: "yes" }, does);
  const form = h(
    "form",
    { method: "dialog", class: "stack" },
    h("h2", { id: "dialog-title" }, title),
    h("p", null, says),
    h("div", { class: "row end" }, h("button", { class: "button", value: "no", autofocus: true }, "Cancel"), yes),
  );
  return opened(form).then((answer) => answer === "yes");
}

/**
 * A dialog until it is closed; gives the value of the button that did.
 *
 * @param {HTMLElement} content with an element that is its title
 * @param {string} [title] the id of that
 * @returns {Promise<string>}
 */
export function opened(content, title = "dialog-title") {
  const dialog = h("dialog", { "aria-labelledby": title }, content);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}
