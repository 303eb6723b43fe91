/** A program that has one session and then nothing more to do; told by its arguments how. */

import { Session } from "../../../clients/js/src/index.js";

const [url, how, connectMs] = process.argv.slice(2);
const session = new Session({
  url,
  tools: { endless: () => new Promise(() => {}) },
  timings: { connectMs: Number(connectMs), goodbyeMs: 100, windowMs: 100 },
});
session.addEventListener("failed", ({ detail }) => console.log(detail.code));
try {
  await session.connect();
  if (how === "end") await session.end();
  if (how === "wait") await session.waitFor("state", { where: (state) => state === "ended" });
} catch (error) {
  console.log(`rejected: ${error.code}`);
}
console.log(session.state);
