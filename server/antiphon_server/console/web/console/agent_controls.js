/** Controls of the agent's form: each shows a field, says what is in it, and where it is wrong. */

import { h } from "../shared/dom.js";
import { Wrong } from "./agent_fields.js";
import { modelRows, providerRows } from "./agent_rows.js";

/**
 * @typedef {object} Control
 * @property {string} param
 * @property {HTMLElement} element
 * @property {() => any} read undefined where nothing is set; throws `Wrong` where it cannot be
 * @property {(message: string) => void} fault shows what is wrong; "" is nothing
 * @property {() => void} focus
 */

/**
 * @param {import("./agent_fields.js").Field} field
 * @param {any} value what the agent has there
 * @returns {Control}
 */
export function control(field, value) {
  if (field.kind === "models") return rows(field, modelRows(value ?? []));
  if (field.kind === "providers") return rows(field, providerRows(value ?? {}));
  const id = `field-${field.param}`;
  const input = inputOf(field, value, id);
  const wrong = h("p", { id: `${id}-error`, class: "error" });
  const hint = h("p", { id: `${id}-hint`, class: "hint" }, field.says);
  input.setAttribute("aria-describedby", `${hint.id} ${wrong.id}`);
  const element =
    field.kind === "switch"
      ? h("div", { class: "field" }, h("label", { class: "choice" }, input, field.name), hint, wrong)
      : h(
          "div",
          { class: `field ${["text", "json"].includes(field.kind) ? "wide" : ""}` },
          h("label", { for: id }, field.name, field.unit && h("span", { class: "unit" }, ` in ${field.unit}`), field.required && h("span", { class: "unit" }, " (needed)")),
          input,
          hint,
          wrong,
        );
  const fault = (/** @type {string} */ message) => {
    wrong.textContent = message;
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  input.addEventListener("input", () => fault(""));
  if (field.kind === "json") {
    input.addEventListener("change", () => {
      try {
        read(field, input);
      } catch (error) {
        fault(error instanceof Error ? error.message : "");
      }
    });
  }
  return { param: field.param, element, read: () => read(field, input), fault, focus: () => input.focus() };
}

/**
 * @param {import("./agent_fields.js").Field} field
 * @param {any} value
 * @param {string} id
 */
function inputOf(field, value, id) {
  switch (field.kind) {
    case "switch":
      return h("input", { id, type: "checkbox", checked: Boolean(value) });
    case "choice": {
      const now = value === null || value === undefined ? "" : String(value);
      const known = field.choices ?? [];
      const all = known.some(([one]) => one === now) ? known : /** @type {[string, string][]} */ ([...known, [now, now || "Choose one"]]);
      return h("select", { id, required: field.required }, all.map(([one, text]) => h("option", { value: one, selected: one === now }, text)));
    }
    case "number":
      return h("input", { id, type: "number", value: value ?? "", min: field.least, max: field.most, step: field.step ?? "any", placeholder: field.example, inputmode: "decimal" });
    case "text":
      return h("textarea", { id, value: value ?? "", maxlength: field.most, required: field.required, dir: "auto", rows: field.param === "system_prompt" ? "10" : "3" });
    case "lines":
      return h("textarea", { id, value: (value ?? []).join("\n"), rows: "3", dir: "auto" });
    case "json":
      return h("textarea", { id, class: "code", value: value?.length ? JSON.stringify(value, null, 2) : "", placeholder: "[]", rows: field.param === "tools" ? "14" : "4", spellcheck: "false" });
    default:
      return h("input", { id, type: "text", value: value ?? "", maxlength: field.most, required: field.required, dir: "auto" });
  }
}

/**
 * @param {import("./agent_fields.js").Field} field
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} input
 * @returns {any}
 */
function read(field, input) {
  const text = input.value;
  switch (field.kind) {
    case "switch":
      return input instanceof HTMLInputElement && input.checked;
    case "choice":
      if (!text) return undefined;
      return field.param.endsWith("interrupt_response") ? text === "true" : text;
    case "number": {
      if (input.validity.badInput) throw new Wrong("This is no number.");
      return text.trim() ? Number(text) : undefined;
    }
    case "lines": {
      const all = text.split("\n").map((one) => one.trim()).filter(Boolean);
      return all.length ? all : undefined;
    }
    case "json":
      return parsed(text);
    default:
      if (field.emptyIsNull && !text.trim()) return null;
      return text;
  }
}

/** @param {string} text */
function parsed(text) {
  if (!text.trim()) return [];
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Wrong(`This is no JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (!Array.isArray(value)) throw new Wrong("This has to be a list: it begins with [ and ends with ].");
  return value;
}

/**
 * @param {import("./agent_fields.js").Field} field
 * @param {{element: HTMLElement, read: () => any, focus: () => void}} inside
 * @returns {Control}
 */
function rows(field, inside) {
  const wrong = h("p", { class: "error" });
  const name = `field-${field.param}-name`;
  return {
    param: field.param,
    element: h("fieldset", { class: "field wide", "aria-labelledby": name }, h("span", { id: name, class: "label" }, field.name), h("p", { class: "hint" }, field.says), inside.element, wrong),
    read: inside.read,
    fault: (message) => (wrong.textContent = message),
    focus: inside.focus,
  };
}
