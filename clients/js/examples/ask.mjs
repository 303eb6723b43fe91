// Asks the agent to speak and prints what it says: the smallest session.
//
//     node ask.mjs [URL]

import { Session } from "antiphon";

const [url = "ws://127.0.0.1:8400"] = process.argv.slice(2);
const session = new Session({
  url,
  token: process.env.ANTIPHON_API_KEY,
  session: { system_prompt: "You are a concierge." },
});

await session.connect();
session.createReply("Greet the guest and ask what you can do for them.");
const { text } = await session.waitFor("transcript.agent");
console.log(text);
await session.end();
