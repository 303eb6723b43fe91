/** The tools: their schemas as JSON, and how each call is answered. */

import { fill, h } from "../shared/dom.js";
import { plural, seen } from "../shared/format.js";
import { EXAMPLE, EXAMPLE_CODE, readTools } from "./tools.js";

/** @typedef {import("./settings.js").Settings} Settings */

export class ToolsForm {
  /**
   * @param {Settings} settings changed in place
   * @param {() => void} changed
   */
  constructor(settings, changed) {
    this._settings = settings;
    this._changed = changed;
    /** @type {import("./tools.js").Tool[]} */
    this.tools = [];
    this._text = h("textarea", {
      id: "set-tools",
      class: "code",
      rows: 8,
      value: settings.tools,
      spellcheck: "false",
      placeholder: '[{ "name": …, "description": …, "parameters": { … } }]',
      "aria-describedby": "set-tools-hint set-tools-problems",
    });
    /** @type {string | null} names of the tools whose answers are drawn */
    this._drawn = null;
    this._problems = h("div", { id: "set-tools-problems", class: "error", role: "status" });
    this._answers = h("div", { class: "stack" });
    this._text.addEventListener("input", () => {
      settings.tools = this._text.value;
      this._read();
      changed();
    });
    const example = h("button", { class: "button", type: "button" }, "Put in an example");
    example.addEventListener("click", () => {
      this._text.value = EXAMPLE;
      this._text.dispatchEvent(new Event("input"));
    });
    this.element = h(
      "div",
      { class: "stack" },
      h(
        "div",
        { class: "field" },
        h("label", { for: "set-tools" }, "Tools the agent may call"),
        this._text,
        h(
          "p",
          { id: "set-tools-hint", class: "hint" },
          "A JSON list; parameters are a JSON Schema. The shape of chat completions is understood too.",
        ),
        this._problems,
      ),
      h("div", { class: "row" }, example),
      this._answers,
    );
    this._read();
  }

  _read() {
    const { tools, problems } = readTools(this._settings.tools);
    this.tools = tools;
    if (problems.length) {
      this._text.setAttribute("aria-invalid", "true");
      fill(
        this._problems,
        h("p", null, `${plural(problems.length, "problem")}; the call would have no tools:`),
        h(
          "ul",
          null,
          problems.slice(0, 8).map((one) => h("li", null, seen(one))),
        ),
      );
    } else {
      this._text.removeAttribute("aria-invalid");
      fill(this._problems);
    }
    const names = tools.map((one) => one.name).join("\n");
    if (names === this._drawn) return;
    this._drawn = names;
    fill(
      this._answers,
      tools.map((tool, index) => this._answer(tool.name, index)),
    );
  }

  /**
   * @param {string} name
   * @param {number} index
   * @returns {HTMLElement}
   */
  _answer(name, index) {
    const kept = Object.hasOwn(this._settings.answers, name)
      ? this._settings.answers[name]
      : undefined;
    const answer = kept ?? { how: /** @type {const} */ ("hand"), code: EXAMPLE_CODE };
    this._settings.answers[name] = answer;
    const code = h("textarea", {
      id: `answer-code-${index}`,
      class: "code",
      rows: 6,
      spellcheck: "false",
      value: answer.code,
      "aria-label": `JavaScript that answers ${name}`,
    });
    const note = h(
      "p",
      { class: "hint soft small" },
      "Runs in a sandbox in this browser, without network and page.",
    );
    const how = h(
      "select",
      { id: `answer-how-${index}` },
      h(
        "option",
        { value: "hand", selected: answer.how === "hand" },
        "By hand, on a card in the conversation",
      ),
      h("option", { value: "code", selected: answer.how === "code" }, "By JavaScript"),
    );
    const show = () => {
      code.hidden = note.hidden = answer.how !== "code";
    };
    how.addEventListener("change", () => {
      answer.how = how.value === "code" ? "code" : "hand";
      show();
      this._changed();
    });
    code.addEventListener("input", () => {
      answer.code = code.value;
      this._changed();
    });
    show();
    return h(
      "div",
      { class: "field" },
      h(
        "label",
        { for: how.id },
        "Calls of ",
        h("code", { class: "said" }, seen(name)),
        " are answered",
      ),
      how,
      code,
      note,
    );
  }
}
