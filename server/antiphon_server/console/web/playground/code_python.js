/** The current settings as a Python program that makes the same call. */

import { toSession } from "./session_of.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./tools.js").Tool} Tool */

/**
 * @param {Settings} settings
 * @param {readonly Tool[]} tools
 * @param {string} origin such as `https://voice.example.com`
 * @returns {string}
 */
export function pythonOf(settings, tools, origin) {
  const own = settings.agentId ? [] : tools;
  const typing = typingOf(own);
  return `"""The call of the playground at ${origin}, through this machine's microphone.

    pip install 'antiphon[mic]'
    ANTIPHON_API_KEY=... python this_file.py
"""

import asyncio
import os
${typing}
import antiphon
${own.length ? `\ntools = antiphon.Tools()\n${own.map(functionOf).join("")}` : ""}

async def main() -> None:
    playback = antiphon.Playback()
    call = antiphon.connect(
        ${python(origin)},
        os.environ.get("ANTIPHON_API_KEY"),
${optionsOf(settings, own)}    )
    async with call, antiphon.Microphone() as microphone, antiphon.Speaker(playback):

        async def send() -> None:
            async for frame in microphone:
                await call.send_audio(frame)

        sending = asyncio.create_task(send())
        async for event in call:
            # Plays what comes, and drops what is left of it when the user cuts in.
            playback.hear(event)
            if isinstance(event, antiphon.UserTranscript | antiphon.AgentTranscript):
                print(event.text)
        sending.cancel()


asyncio.run(main())
`;
}

/**
 * @param {Settings} settings
 * @param {readonly Tool[]} tools
 * @returns {string}
 */
function optionsOf(settings, tools) {
  const { input = {}, output = {}, ...session } = toSession({ ...settings, mode: "speak" }, []);
  const { turn_detection: turns, ...heard } = input;
  const lines = Object.entries({ ...session, ...heard, ...output }).map(
    ([name, value]) => `${name}=${python(value)}`,
  );
  if (turns) {
    const keywords = Object.entries(turns).map(([name, value]) => `${name}=${python(value)}`);
    lines.push(`turn_detection=antiphon.TurnDetection(${keywords.join(", ")})`);
  }
  if (tools.length) lines.push("tools=tools");
  return lines.map((line) => `        ${line},\n`).join("");
}

/** @type {Record<string, string>} */
const TYPES = {
  string: "str",
  integer: "int",
  number: "float",
  boolean: "bool",
  array: "list",
  object: "dict",
};

/**
 * A tool as a decorated function, whose body is to be written.
 *
 * @param {Tool} tool
 * @returns {string}
 */
function functionOf(tool) {
  const { properties = {}, required = [] } = tool.parameters ?? {};
  const names = Object.keys(properties);
  // What has no default comes first.
  const ordered = [
    ...names.filter((one) => required.includes(one)),
    ...names.filter((one) => !required.includes(one)),
  ];
  const parameters = ordered.map(
    (name) => `    ${identifier(name)}: ${hint(properties[name], required.includes(name))},\n`,
  );
  const name = identifier(tool.name);
  const options = [
    ...(name === tool.name ? [] : [`name=${python(tool.name)}`]),
    ...(tool.timeout_seconds ? [`timeout_seconds=${tool.timeout_seconds}`] : []),
    ...(tool.execution_mode === "hold" ? ['execution_mode="hold"'] : []),
  ];
  return `

@tools${options.length ? `(${options.join(", ")})` : ""}
async def ${name}(${parameters.length ? `\n${parameters.join("")}` : ""}) -> object:
    ${python(tool.description || tool.name)}
    raise antiphon.ToolFailed(${python(`${tool.name} cannot be looked up yet.`)})
`;
}

/**
 * @param {any} schema
 * @param {boolean} required
 * @returns {string}
 */
function hint(schema, required) {
  let type = TYPES[schema?.type] ?? "object";
  if (Array.isArray(schema?.enum) && schema.enum.length) {
    type = `Literal[${schema.enum.map(python).join(", ")}]`;
  }
  if (!required) type += " | None";
  if (schema?.description) type = `Annotated[${type}, ${python(schema.description)}]`;
  return required ? type : `${type} = None`;
}

/** @param {readonly Tool[]} tools */
function typingOf(tools) {
  const text = tools.map(functionOf).join("");
  const used = ["Annotated", "Literal"].filter((one) => text.includes(`${one}[`));
  return used.length ? `from typing import ${used.join(", ")}\n` : "";
}

const RESERVED = new Set(
  "and as assert async await break class continue def del elif else except False finally for from global if import in is lambda None nonlocal not or pass raise return True try while with yield".split(
    " ",
  ),
);

/** @param {string} name */
function identifier(name) {
  const plain = name.replace(/\W/g, "_").replace(/^(?=\d)/, "_") || "_";
  return RESERVED.has(plain) ? `${plain}_` : plain;
}

/**
 * A JSON value as Python writes it.
 *
 * @param {unknown} value
 * @returns {string}
 */
function python(value) {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).map(
      ([key, one]) => `${JSON.stringify(key)}: ${python(one)}`,
    );
    return `{${entries.join(", ")}}`;
  }
  return JSON.stringify(value);
}
