/** When a session is over nothing of it is left: a program that has nothing else to do ends. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { serving, tcp } from "./raw_server.mjs";

const run = promisify(execFile);
const LEAVER = fileURLToPath(new URL("leaver.mjs", import.meta.url));

const call = { type: "tool.call", call_id: "c", name: "endless", arguments: {} };
const accept = async (peer) => {
  await peer.accept();
  peer.send(call);
};

/** How the program leaves, what the server does, what the program prints. */
const cases = {
  "a goodbye": ["end", async (peer) => {
    await accept(peer);
    await peer.end();
  }, "ended"],
  "a goodbye that is not answered": ["end", accept, "ended"],
  "a goodbye to a server that vanished": ["end", async (peer) => {
    await accept(peer);
    await peer.pinged();
    peer.vanish();
  }, "ended"],
  "a server that closes": ["wait", async (peer) => {
    await accept(peer);
    peer.close(1000);
  }, "connection_lost\nended"],
  "a server that is lost and does not come back": ["wait", async (peer) => {
    await peer.accept();
    await peer.reset();
  }, "connection_lost\nended"],
}; // prettier-ignore

for (const [name, [how, script, printed]] of Object.entries(cases)) {
  test(`a program ends by itself after ${name}`, async (t) => {
    const server = await serving(t, script, async (peer) => peer.gone);
    assert.equal(await printedBy(server.url, how), printed);
  });
}

test("a program ends by itself after a server that is never ready", async (t) => {
  const server = await serving(t, async (peer) => peer.gone);
  assert.equal(await printedBy(server.url, "end", 200), "timed_out\nrejected: timed_out\nended");
});

test("a program ends by itself after a server that does not even take the socket", async (t) => {
  const url = await tcp(t, () => {});
  assert.equal(await printedBy(url, "end", 200), "timed_out\nrejected: timed_out\nended");
});

async function printedBy(url, how, connectMs = 10_000) {
  const command = [LEAVER, url, how, String(connectMs)];
  const { stdout, stderr } = await run(process.execPath, command, { timeout: 20_000 });
  assert.equal(stderr, "");
  return stdout.trim();
}
