/** Tools as a person pastes them: read, checked, and told in plain words what is wrong. */

/**
 * @typedef {object} Tool
 * @property {"function"} type
 * @property {string} name
 * @property {string} [description]
 * @property {Record<string, any>} [parameters]
 * @property {number} [timeout_seconds]
 * @property {"interactive" | "hold"} [execution_mode]
 */

/** @typedef {{tools: Tool[], problems: string[]}} Read */

/** As the server has them (dialects/session_update). */
const MOST_TOOLS = 64;
const MOST_SCHEMA_BYTES = 32_768;

/** What "Put in an example" puts in. */
export const EXAMPLE = JSON.stringify(
  [
    {
      type: "function",
      name: "order_status",
      description: "Looks up where an order is, by its number.",
      parameters: {
        type: "object",
        properties: { number: { type: "string", description: "Six digits.", pattern: "[0-9]{6}" } },
        required: ["number"],
      },
    },
  ],
  null,
  2,
);

/** What a new answer in JavaScript begins with. */
export const EXAMPLE_CODE = `// "args" is what the model sent. What is returned is the result;
// what is thrown is told to the model as an error. There is no network here.
return { number: args.number, status: "on its way", arrives: "tomorrow" };
`;

/**
 * Reads a JSON list of tools. A single tool, an object with `tools`, and the nested shape of
 * chat completions (`{"type": "function", "function": {...}}`) are understood too.
 *
 * @param {string} text
 * @returns {Read}
 */
export function readTools(text) {
  if (!text.trim()) return { tools: [], problems: [] };
  let given;
  try {
    given = JSON.parse(text);
  } catch (error) {
    return { tools: [], problems: [`This is not JSON yet: ${whereInText(text, error)}`] };
  }
  const list = listOf(given);
  if (!list) return { tools: [], problems: ["A list of tools is expected: [ { … }, { … } ]"] };
  /** @type {string[]} */
  const problems = [];
  if (list.length > MOST_TOOLS) {
    problems.push(`At most ${MOST_TOOLS} tools; these are ${list.length}.`);
  }
  const tools = list.map((one, index) => toolOf(one, index, problems));
  const names = tools.map((tool) => tool.name);
  names.forEach((name, index) => {
    if (name && names.indexOf(name) < index) {
      problems.push(`Two tools are called "${name}". Each needs a name of its own.`);
    }
  });
  return { tools: problems.length ? [] : tools, problems };
}

/**
 * @param {any} given
 * @returns {any[] | null}
 */
function listOf(given) {
  if (Array.isArray(given)) return given;
  if (given && typeof given === "object") {
    if (Array.isArray(given.tools)) return given.tools;
    if ("name" in given || "function" in given) return [given];
  }
  return null;
}

/**
 * @param {any} given
 * @param {number} index
 * @param {string[]} problems
 * @returns {Tool}
 */
function toolOf(given, index, problems) {
  const said = `Tool ${index + 1}`;
  /** @type {Tool} */
  const none = { type: "function", name: "" };
  if (!isObject(given)) {
    problems.push(`${said} has to be an object: { "name": …, "parameters": … }`);
    return none;
  }
  const flat = isObject(given.function) ? given.function : given;
  const { name } = flat;
  if (typeof name !== "string" || !name.trim()) {
    problems.push(`${said} has no "name".`);
    return none;
  }
  check(flat, `"${name}"`, problems);
  return { ...flat, type: "function", name };
}

/**
 * @param {Record<string, any>} tool
 * @param {string} name
 * @param {string[]} problems
 */
function check(tool, name, problems) {
  const { description, parameters, timeout_seconds: seconds, execution_mode: mode } = tool;
  if (description !== undefined && description !== null && typeof description !== "string") {
    problems.push(`${name}: "description" has to be text.`);
  }
  if (seconds !== undefined && seconds !== null && !(seconds >= 1 && seconds <= 300)) {
    problems.push(`${name}: "timeout_seconds" has to be a number from 1 to 300.`);
  }
  if (mode !== undefined && mode !== null && mode !== "interactive" && mode !== "hold") {
    problems.push(`${name}: "execution_mode" is "interactive" or "hold".`);
  }
  if (parameters === undefined || parameters === null) return;
  if (!isObject(parameters)) {
    problems.push(`${name}: "parameters" has to be a JSON Schema object.`);
    return;
  }
  if (parameters.type !== undefined && parameters.type !== "object") {
    problems.push(`${name}: the "type" of its parameters has to be "object".`);
  }
  if (parameters.properties !== undefined && !isObject(parameters.properties)) {
    problems.push(`${name}: "properties" has to be an object, a schema for each argument.`);
  } else {
    checkRequired(parameters, name, problems);
  }
  if (new TextEncoder().encode(JSON.stringify(parameters)).length > MOST_SCHEMA_BYTES) {
    problems.push(`${name}: its parameters are more than ${MOST_SCHEMA_BYTES} bytes of JSON.`);
  }
}

/**
 * @param {Record<string, any>} parameters
 * @param {string} name
 * @param {string[]} problems
 */
function checkRequired(parameters, name, problems) {
  const { required, properties = {} } = parameters;
  if (required === undefined) return;
  if (!Array.isArray(required)) {
    problems.push(`${name}: "required" has to be a list of names.`);
    return;
  }
  const missing = required.filter((one) => !Object.hasOwn(properties, one));
  if (missing.length) {
    problems.push(
      `${name}: "required" names ${missing.map((one) => `"${one}"`).join(", ")}, which "properties" does not have.`,
    );
  }
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Line and column of a syntax error, where the browser tells the place.
 *
 * @param {string} text
 * @param {unknown} error
 * @returns {string}
 */
function whereInText(text, error) {
  const message = error instanceof Error ? error.message : String(error);
  const at = /position (\d+)/.exec(message);
  if (!at)
    return /end of JSON|unexpected end|Unexpected end/i.test(message)
      ? "it ends too early."
      : message;
  const before = text.slice(0, Number(at[1])).split("\n");
  const found = text[Number(at[1])];
  const what = found === undefined ? "it ends too early" : `"${found}" is not expected here`;
  return `line ${before.length}, column ${(before.at(-1) ?? "").length + 1}: ${what}.`;
}
