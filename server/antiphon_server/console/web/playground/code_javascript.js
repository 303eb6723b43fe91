/** The current settings as a page's script that makes the same call with the SDK. */

import { toSession } from "./session_of.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./tools.js").Tool} Tool */

/**
 * @param {Settings} settings
 * @param {readonly Tool[]} tools
 * @param {string} origin such as `https://voice.example.com`
 * @returns {string}
 */
export function javascriptOf(settings, tools, origin) {
  const session = toSession({ ...settings, mode: "speak" }, []);
  const own = settings.agentId ? [] : tools;
  return `// The call of the playground at ${origin}, on a page of yours with a button #talk.
import { VoiceAgent } from ${JSON.stringify(`${origin}/assets/antiphon.js`)};

const agent = new VoiceAgent({
  url: ${JSON.stringify(`${origin.replace(/^http/, "ws")}/v1/ws`)},
  // Your server has the key, and asks GET /v1/token for a token that a browser may know.
  getToken: async () => (await fetch("/antiphon-token")).text(),
  session: ${indented(session, 2)},
${own.length ? `  tools: [\n${own.map(toolOf).join("")}  ],\n` : ""}});

agent.addEventListener("transcript.user", ({ detail }) => console.log("You:", detail.text));
agent.addEventListener("transcript.agent", ({ detail }) => console.log("Agent:", detail.text));
agent.addEventListener("failed", ({ detail }) => console.error(detail));

// From a click: a browser gives microphone and sound to a page that was asked for them.
document.querySelector("#talk").addEventListener("click", () => agent.start());
`;
}

/** @param {Tool} tool */
function toolOf(tool) {
  return `    {
      ...${indented(tool, 6)},
      run: async (args) => {
        throw new Error(${JSON.stringify(`${tool.name} cannot be looked up yet.`)});
      },
    },
`;
}

/**
 * @param {unknown} value
 * @param {number} by
 */
function indented(value, by) {
  return JSON.stringify(value, null, 2).replaceAll("\n", `\n${" ".repeat(by)}`);
}
