/** Lists of models and of providers in the agent's form. Keys are written and never read. */

import { h, icon } from "../shared/dom.js";
import { Wrong } from "./agent_fields.js";

const MODELS = 4;
const PROVIDERS = 3;
/** @type {[string, string][]} */
const STAGES = [
  ["stt", "Recognition: who hears"],
  ["llm", "Model: who thinks; instead of the models above"],
  ["tts", "Speech: who speaks"],
  ["s2s", "Speech to speech: who does it all in one"],
];

/**
 * @typedef {object} Row
 * @property {HTMLElement} element
 * @property {() => any} read
 */

/** @param {any[]} models */
export function modelRows(models) {
  return list(models, MODELS, "Add a model", (model) => {
    const base = input("https://api.example.com/v1", model?.base_url, { type: "url" });
    const name = input("", model?.model);
    const key = secret(model);
    const effort = input("as it does by itself", model?.reasoning_effort);
    return {
      element: h("div", { class: "fields" }, labelled("Address", base), labelled("Model", name), labelled("API key", key), labelled("Reasoning effort", effort)),
      read: () => ({
        base_url: base.value.trim(),
        model: name.value.trim(),
        ...(key.value ? { api_key: key.value } : {}),
        ...(effort.value || model?.reasoning_effort ? { reasoning_effort: effort.value } : {}),
      }),
    };
  });
}

/** @param {Record<string, any[]>} providers */
export function providerRows(providers) {
  const stages = STAGES.map(([stage, title]) => ({
    stage,
    title,
    rows: list(providers[stage] ?? [], PROVIDERS, "Add a provider", (one) => {
      const name = input("such as deepgram; default is the server's own", one?.name);
      const options = input('{"model": "…"}', one && Object.keys(one.options ?? {}).length ? JSON.stringify(one.options) : "", { class: "code", spellcheck: "false" });
      const key = secret(one);
      return {
        element: h("div", { class: "fields" }, labelled("Provider", name), labelled("Options, as JSON", options), labelled("API key", key)),
        read: () => ({ name: name.value.trim(), ...withOptions(options.value, title), ...(key.value ? { api_key: key.value } : {}) }),
      };
    }),
  }));
  return {
    element: h("div", { class: "stack" }, stages.map(({ title, rows }) => h("div", { class: "stack tight", role: "group", "aria-label": title }, h("p", { class: "small strong" }, title), rows.element))),
    read: () => Object.fromEntries(stages.map(({ stage, rows }) => [stage, rows.read()]).filter(([, all]) => all?.length)),
    focus: () => stages[0]?.rows.focus(),
  };
}

/**
 * @param {any[]} values
 * @param {number} most
 * @param {string} adds
 * @param {(value: any) => Row} make
 */
function list(values, most, adds, make) {
  /** @type {Row[]} */
  const rows = [];
  const inside = h("div", { class: "stack tight" });
  const more = h("button", { type: "button", class: "button small" }, icon("plus"), adds);
  const changed = () => {
    more.hidden = rows.length >= most;
    inside.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const add = (/** @type {any} */ value) => {
    const row = make(value);
    const away = h("button", { type: "button", class: "button quiet icon", "aria-label": "Take away" }, icon("close"));
    const element = h("div", { class: "entry" }, h("div", { class: "grow" }, row.element), away);
    away.addEventListener("click", () => {
      rows.splice(rows.indexOf(row), 1);
      element.remove();
      changed();
      more.focus();
    });
    rows.push(row);
    inside.append(element);
    return element;
  };
  for (const value of values) add(value);
  more.hidden = rows.length >= most;
  more.addEventListener("click", () => {
    const element = add(null);
    changed();
    element.querySelector("input")?.focus();
  });
  return {
    element: h("div", { class: "stack tight start" }, inside, more),
    read: () => rows.map((row) => row.read()),
    focus: () => (inside.querySelector("input") ?? more).focus(),
  };
}

/**
 * @param {string} placeholder
 * @param {string | null | undefined} value
 * @param {Record<string, unknown>} [more]
 */
function input(placeholder, value, more = {}) {
  return h("input", { type: "text", placeholder, ...more, value: value ?? "" });
}

/** @param {any} stored */
function secret(stored) {
  return h("input", { type: "password", class: "code", autocomplete: "new-password", placeholder: stored ? "unchanged" : "", title: stored ? "What is stored is never told; empty keeps it." : null });
}

/**
 * @param {string} name
 * @param {HTMLElement} control
 */
function labelled(name, control) {
  return h("label", { class: "field" }, h("span", { class: "label small" }, name), control);
}

/**
 * @param {string} text
 * @param {string} where
 */
function withOptions(text, where) {
  if (!text.trim()) return {};
  try {
    const options = JSON.parse(text);
    if (options && typeof options === "object" && !Array.isArray(options)) return { options };
  } catch {
    // Said below: what is no JSON and what is no object is wrong in the same way.
  }
  throw new Wrong(`Options of a provider are a JSON object, such as {"model": "small"} (${where}).`);
}
