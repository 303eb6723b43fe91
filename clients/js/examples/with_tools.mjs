// Lets the agent look things up in this program.
//
//     node with_tools.mjs [URL]

import { Session, ToolFailed } from "antiphon";

const ORDERS = new Map([["7", "on its way"]]);

const [url = "ws://127.0.0.1:8400"] = process.argv.slice(2);
const session = new Session({
  url,
  session: { system_prompt: "You help people who wait for a parcel." },
  tools: {
    order_status: {
      description: "Where an order is.",
      parameters: {
        type: "object",
        properties: { number: { type: "string", description: "The order's number." } },
        required: ["number"],
      },
      timeout_seconds: 10,
      async run({ number }) {
        const status = ORDERS.get(number);
        // What is thrown here is told to the model, in these words.
        if (!status) throw new ToolFailed(`There is no order ${number}; ask for it again.`);
        return { status };
      },
    },
  },
});

session.addEventListener("tool.call", ({ detail }) => {
  console.log("tool: ", detail.name, JSON.stringify(detail.arguments));
});
session.addEventListener("transcript.agent", ({ detail }) => console.log("agent:", detail.text));

await session.connect();
session.addMessage("Where is my order? Its number is 7.");
session.createReply();
await session.waitFor("sent", { where: ({ type }) => type === "tool.result" });
await session.waitFor("transcript.agent");
await session.end();
