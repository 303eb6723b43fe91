/** Functions the model may call: declared, called with a time limit, and answered for. */

/**
 * @import {
 *   SessionConfig, ToolCall, ToolDefinition, ToolFunction, Tools, ToolUpdate
 * } from "../types/index.js"
 */

import { AntiphonError, described, ToolFailed } from "./errors.js";

/** As the server has it (protocol section 3.3). */
const TIMEOUT_SECONDS = 120;

/**
 * @typedef {object} Outcome
 * @property {string} text For the model.
 * @property {boolean} isError
 * @property {unknown} [thrown] What the function threw, unless it was meant for the model.
 */

/** @typedef {{ run: ToolFunction, declaration: ToolUpdate | null }} Tool */

export class Toolbox {
  /** @type {Map<string, Tool>} */
  #tools = new Map();
  /** @type {Set<AbortController>} */
  #running = new Set();

  /**
   * Throws an `AntiphonError` of code `invalid_tool`.
   *
   * @param {Tools | undefined} tools
   */
  constructor(tools) {
    this.replace(tools ?? {});
  }

  /**
   * From now on these are the tools; calls that are running go on.
   *
   * @param {Tools} tools
   */
  replace(tools) {
    /** @type {Map<string, Tool>} */
    const found = new Map();
    for (const [name, given] of entriesOf(tools)) {
      if (found.has(name)) throw invalid(`there are two tools named "${name}"`);
      found.set(name, toolOf(name, given));
    }
    this.#tools = found;
  }

  /**
   * What the server is told.
   *
   * @returns {ToolUpdate[]}
   */
  get declarations() {
    return [...this.#tools.values()].flatMap(({ declaration }) => declaration ?? []);
  }

  /**
   * Whether a call is one to answer: there is a function, and the server does not run the tool
   * itself.
   *
   * @param {ToolCall} call
   * @param {SessionConfig | null} config
   */
  answers(call, config) {
    return this.#tools.has(call.name) && !declared(call.name, config)?.http;
  }

  /**
   * Calls the function; never rejects. Null where the session was over before.
   *
   * @param {ToolCall} call
   * @param {SessionConfig | null} config
   * @returns {Promise<Outcome | null>}
   */
  async run(call, config) {
    const tool = /** @type {Tool} */ (this.#tools.get(call.name));
    const seconds =
      tool.declaration?.timeout_seconds ??
      declared(call.name, config)?.timeout_seconds ??
      TIMEOUT_SECONDS;
    const life = new AbortController();
    this.#running.add(life);
    try {
      return await within(seconds, life, () => outcomeOf(tool.run, call, life.signal));
    } finally {
      this.#running.delete(life);
    }
  }

  /** The session is over: whoever still works is told so. */
  stop() {
    for (const life of this.#running) life.abort(new AntiphonError("session_over", "it is over"));
  }
}

/**
 * @param {Tools} tools
 * @returns {Array<[string, ToolFunction | ToolDefinition]>}
 */
function entriesOf(tools) {
  if (!Array.isArray(tools)) return Object.entries(tools);
  return tools.map((tool) => [tool?.name, tool]);
}

/**
 * @param {string} name
 * @param {ToolFunction | ToolDefinition} given
 * @returns {Tool}
 */
function toolOf(name, given) {
  if (typeof name !== "string" || !name) throw invalid("a tool needs a name");
  if (typeof given === "function") return { run: given, declaration: null };
  if (typeof given?.run !== "function") throw invalid(`"${name}" needs a function "run"`);
  const { run, ...rest } = given;
  const parameters = rest.parameters ?? { type: "object", properties: {} };
  return { run, declaration: { ...rest, type: "function", name, parameters } };
}

/**
 * @param {string} name
 * @param {SessionConfig | null} config
 */
function declared(name, config) {
  return config?.tools?.find((tool) => tool.name === name);
}

/**
 * What the work comes to, or that it took too long, or null where it was given up before.
 *
 * @param {number} seconds
 * @param {AbortController} life Aborted in the last two cases.
 * @param {() => Promise<Outcome>} work
 * @returns {Promise<Outcome | null>}
 */
function within(seconds, life, work) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve({ text: `There was no answer within ${seconds} seconds.`, isError: true });
      life.abort(new AntiphonError("timed_out", `no answer within ${seconds} s`));
    }, seconds * 1000);
    life.signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve(null);
    });
    work().then((outcome) => {
      clearTimeout(timer);
      resolve(outcome);
    });
  });
}

/**
 * @param {ToolFunction} run
 * @param {ToolCall} call
 * @param {AbortSignal} signal
 * @returns {Promise<Outcome>}
 */
async function outcomeOf(run, call, signal) {
  const { name, call_id: callId } = call;
  const args = argumentsOf(call);
  if (!args) return { text: `The arguments of ${name} are no object.`, isError: true };
  try {
    return { text: textOf(await run(args, { signal, callId, name })), isError: false };
  } catch (thrown) {
    if (thrown instanceof ToolFailed) return { text: thrown.message, isError: true };
    return { text: `${name} failed: ${described(thrown)}`, isError: true, thrown };
  }
}

/**
 * An object; servers of earlier generations wrote JSON text, or named it `args`.
 *
 * @param {ToolCall} call
 * @returns {Record<string, unknown> | null}
 */
function argumentsOf(call) {
  /** @type {unknown} */
  let given = call.arguments ?? call.args ?? {};
  if (typeof given === "string") {
    try {
      given = JSON.parse(given);
    } catch {
      return null;
    }
  }
  const isObject = typeof given === "object" && given !== null && !Array.isArray(given);
  return isObject ? /** @type {Record<string, unknown>} */ (given) : null;
}

/**
 * What the model reads: text as it is, anything else as JSON.
 *
 * @param {unknown} result
 * @returns {string}
 */
export function textOf(result) {
  if (typeof result === "string") return result;
  return JSON.stringify(result) ?? "null";
}

/** @param {string} message */
function invalid(message) {
  return new AntiphonError("invalid_tool", message, { param: "tools" });
}
