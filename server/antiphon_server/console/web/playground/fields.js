/** Labelled controls that read and write a property of an object. */

import { h } from "../shared/dom.js";

/**
 * @typedef {object} Slider
 * @property {number} min
 * @property {number} max
 * @property {number} step
 * @property {string} unit
 * @property {number} standard where the knob stands while nothing is set
 * @property {string} unset what is shown then
 * @property {string} [hint]
 */

export class Fields {
  /** @param {() => void} changed */
  constructor(changed) {
    this._changed = changed;
    /** @type {Map<string, {control: HTMLElement, error: HTMLElement}>} */
    this._told = new Map();
  }

  /**
   * Says beside each field what is wrong with it.
   *
   * @param {Record<string, string>} wrongs by field
   */
  tell(wrongs) {
    for (const [name, { control, error }] of this._told) {
      const words = wrongs[name] ?? "";
      if (error.textContent !== words) error.textContent = words;
      if (words) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  }

  /**
   * Text: a line, or `rows` of them.
   *
   * @param {any} object
   * @param {string} name
   * @param {string} label
   * @param {{rows?: number, hint?: string}} [more]
   * @returns {HTMLElement}
   */
  write(object, name, label, { rows, hint } = {}) {
    const props = {
      id: `set-${name}`,
      value: object[name],
      spellcheck: "false",
      autocomplete: "off",
    };
    const control = rows
      ? h("textarea", { ...props, rows })
      : h("input", { ...props, type: "text" });
    control.addEventListener("input", () => {
      object[name] = control.value;
      this._changed();
    });
    return this._field(name, label, control, hint);
  }

  /**
   * One of several.
   *
   * @param {any} object
   * @param {string} name
   * @param {string} label
   * @param {readonly (readonly [string, string])[]} options value and words
   * @returns {HTMLElement}
   */
  choose(object, name, label, options) {
    const control = h(
      "select",
      { id: `set-${name}` },
      options.map(([value, words]) =>
        h("option", { value, selected: value === object[name] }, words),
      ),
    );
    control.addEventListener("change", () => {
      object[name] = control.value;
      this._changed();
    });
    return this._field(name, label, control);
  }

  /**
   * A number, or null for the default.
   *
   * @param {any} object
   * @param {string} name
   * @param {string} label
   * @param {Slider} slider
   * @returns {HTMLElement}
   */
  slide(object, name, label, { min, max, step, unit, standard, unset, hint }) {
    const said = h("output", { class: "unit", for: `set-${name}` });
    const reset = h(
      "button",
      {
        class: "button quiet small-button",
        type: "button",
        "aria-label": `${label}: use the default`,
      },
      "Use the default",
    );
    const control = h("input", { id: `set-${name}`, type: "range", min, max, step });
    const show = () => {
      const value = object[name];
      control.value = String(value ?? standard);
      said.textContent =
        value === null
          ? unset + (unit && /\d$/.test(unset) ? ` ${unit}` : "")
          : `${value}${unit ? ` ${unit}` : ""}`;
      control.setAttribute("aria-valuetext", said.textContent);
      reset.hidden = value === null;
    };
    control.addEventListener("input", () => {
      object[name] = Number(control.value);
      show();
      this._changed();
    });
    reset.addEventListener("click", () => {
      object[name] = null;
      show();
      this._changed();
      control.focus();
    });
    show();
    const field = this._field(name, label, control, hint);
    field
      .querySelector("label")
      ?.after(h("div", { class: "row spread slider-value" }, said, reset));
    return field;
  }

  /**
   * Yes or no.
   *
   * @param {any} object
   * @param {string} name
   * @param {string} label
   * @param {string} [hint]
   * @returns {HTMLElement}
   */
  tick(object, name, label, hint) {
    const control = h("input", { id: `set-${name}`, type: "checkbox", checked: object[name] });
    control.addEventListener("change", () => {
      object[name] = control.checked;
      this._changed();
    });
    return h(
      "label",
      { class: "choice" },
      control,
      h("span", null, label, hint && h("span", { class: "soft small choice-hint" }, hint)),
    );
  }

  /**
   * Some of several.
   *
   * @param {any} object
   * @param {string} name
   * @param {string} label
   * @param {readonly (readonly [string, string])[]} options value and words
   * @returns {HTMLElement}
   */
  tickSome(object, name, label, options) {
    const boxes = options.map(([value, words]) => {
      const control = h("input", {
        id: `set-${name}-${value}`,
        type: "checkbox",
        checked: object[name].includes(value),
      });
      control.addEventListener("change", () => {
        object[name] = options
          .map(([one]) => one)
          .filter((one) => (one === value ? control.checked : object[name].includes(one)));
        this._changed();
      });
      return h("label", { class: "choice" }, control, words);
    });
    return h("fieldset", { class: "stack tight" }, h("legend", null, label), boxes);
  }

  /**
   * @param {string} name
   * @param {string} label
   * @param {HTMLElement} control
   * @param {string} [hint]
   * @returns {HTMLElement}
   */
  _field(name, label, control, hint) {
    const error = h("p", { id: `set-${name}-error`, class: "error", "aria-live": "polite" });
    control.setAttribute(
      "aria-describedby",
      hint ? `set-${name}-hint set-${name}-error` : `set-${name}-error`,
    );
    this._told.set(name, { control, error });
    return h(
      "div",
      { class: "field" },
      h("label", { for: `set-${name}` }, label),
      control,
      hint && h("p", { id: `set-${name}-hint`, class: "hint" }, hint),
      error,
    );
  }
}
