/** Servers that are none, are broken, or mean harm. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";

import { AntiphonError } from "../../../clients/js/src/index.js";
import { sessionAt, typesOf } from "./listening.mjs";
import { CONFIG, ENDED, frameOf, serving, tcp } from "./raw_server.mjs";

/** What connecting to a server with this script fails with. */
async function failureOf(t, script, options = {}) {
  const server = await serving(t, script);
  return failureAt(server.url, options);
}

async function failureAt(url, options = {}) {
  const { session, events } = sessionAt(url, options);
  const error = await session.connect().then(
    () => assert.fail("it connected"),
    (thrown) => thrown,
  );
  assert.ok(error instanceof AntiphonError, String(error));
  assert.equal(error.fatal, true);
  assert.equal(session.failure, error);
  assert.deepEqual(typesOf(events).slice(-2), ["failed", "state ended"]);
  assert.equal(session.state, "ended");
  assert.equal(await session.end(), null);
  return error;
}

test("nobody is there", async (t) => {
  const url = await tcp(t, () => {});
  const error = await failureAt("ws://127.0.0.1:1/?token=secret", { token: "secret" });
  assert.equal(error.code, "cannot_connect");
  assert.match(error.message, /no voice agent server answers at ws:\/\/127.0.0.1:1\/v1\/ws$/);
  assert.equal(JSON.stringify([error.message, String(error.stack)]).includes("secret"), false);
  assert.equal((await failureAt(url, { timings: { connectMs: 30 } })).code, "timed_out");
});

test("something else is there", async (t) => {
  const answers = [
    (socket) => socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
    (socket) => socket.end("220 mail.example ESMTP\r\n"),
    (socket) => socket.end(randomBytes(2000)),
    (socket) => socket.end(),
    (socket) => socket.resetAndDestroy(),
  ];
  for (const answer of answers) {
    const error = await failureAt(await tcp(t, answer), { timings: { connectMs: 1000 } });
    assert.equal(error.code, "cannot_connect");
  }
});

test("a socket on which nobody says that the session is ready", async (t) => {
  const error = await failureOf(t, async (peer) => peer.gone, { timings: { connectMs: 30 } });
  assert.deepEqual([error.code, error.retryable], ["timed_out", true]);
  assert.match(error.message, /30 ms/);
});

test("a socket that closes before the session is ready", async (t) => {
  for (const code of [1000, 1008, 1011]) {
    const error = await failureOf(t, async (peer) => peer.close(code));
    assert.deepEqual([error.code, error.closeCode], ["connection_lost", code]);
  }
  const error = await failureOf(t, async (peer) => peer.socket.destroy());
  assert.deepEqual([error.code, error.closeCode], ["connection_lost", 1006]);
});

test("a socket that speaks something else", async (t) => {
  const frames = ["hello", "[]", "null", '"text"', "{}", '{"type":1}', "{", "", "\u0000"];
  for (const frame of frames) {
    const error = await failureOf(t, async (peer) => peer.raw(frameOf(frame)));
    assert.equal(error.code, "cannot_connect");
    assert.equal(error.cause.code, "malformed_message");
  }
  const binary = await failureOf(t, async (peer) => peer.binary([1, 2, 3]));
  assert.equal(binary.code, "cannot_connect");
  const unready = await failureOf(t, async (peer) => peer.send({ type: "session.ready" }));
  assert.equal(unready.code, "cannot_connect");
});

test("frames that break the rules of WebSocket", async (t) => {
  const frames = [
    Buffer.from([0xff, 0x00]),
    Buffer.from([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    Buffer.from([0x89, 0x7e, 0x10, 0x00]),
    frameOf(Buffer.from([0xc3, 0x28])),
  ];
  for (const frame of frames) {
    const error = await failureOf(t, async (peer) => peer.raw(frame), { timings: { connectMs: 500 } });
    assert.ok(["connection_lost", "cannot_connect", "timed_out"].includes(error.code), error.code);
  }
});

for (const [code, retryable] of [
  ["unauthorized", false], ["agent_not_found", false], ["invalid_value", false],
  ["invalid_format", false], ["at_capacity", true], ["concurrency_exceeded", true],
  ["something_new", false],
]) { // prettier-ignore
  test(`a refusal before the session is ready: ${code}`, async (t) => {
    const refusal = { type: "session.error", code, message: "No.", param: "output.voice" };
    const error = await failureOf(t, async (peer) => peer.send(refusal));
    assert.deepEqual(
      [error.code, error.message, error.param, error.retryable],
      [code, "No.", "output.voice", retryable],
    );
  });
}

test("a credential that is refused before hello", async (t) => {
  const refusal = { type: "session.error", code: "unauthorized", message: "Authentication failed" };
  const error = await failureOf(t, async (peer) => {
    peer.send(refusal);
    peer.close(1008);
  });
  assert.equal(error.code, "unauthorized");
});

test("a token that cannot be had", async (t) => {
  const server = await serving(t, async (peer) => peer.gone);
  const getToken = () => Promise.reject(new Error("signed out"));
  const error = await failureAt(server.url, { getToken });
  assert.deepEqual([error.code, error.cause.message], ["token_failed", "signed out"]);
  const thrown = await failureAt(server.url, { getToken: () => { throw new Error("x"); } });
  assert.equal(thrown.code, "token_failed");
  assert.equal(server.upgrades, 0);
});

test("a token that comes too late opens nothing", async (t) => {
  const server = await serving(t, async (peer) => peer.gone);
  let give;
  const getToken = () => new Promise((resolve) => { give = resolve; });
  const error = await failureAt(server.url, { getToken, timings: { connectMs: 20 } });
  assert.equal(error.code, "timed_out");
  give("late");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(server.upgrades, 0);
});

test("a WebSocket that cannot be made", async () => {
  class Refusing {
    constructor() {
      throw new Error("SecurityError");
    }
  }
  const error = await failureAt("ws://127.0.0.1:1", { WebSocket: Refusing });
  assert.deepEqual([error.code, error.cause.message], ["cannot_connect", "SecurityError"]);
});

test("garbage in the middle of a session is passed over, and told", async (t) => {
  const garbage = [
    "no json", "[]", "{}", '{"type":"reply.audio","reply_id":"r"}',
    '{"type":"reply.audio","reply_id":1,"data":"AAAA"}', '{"type":"tool.call","call_id":"c"}',
    '{"type":"session.updated","config":null}', '{"type":"session.updated","config":[]}',
    '{"type":"session.error"}', '{"type":"transcript.user","item_id":"i","text":{}}',
    `{"type":"x","deep":${"[".repeat(20_000)}${"]".repeat(20_000)}}`.slice(0, -1),
  ]; // prettier-ignore
  const odd = { type: "__proto__", constructor: 1 };
  const server = await serving(t, async (peer) => {
    await peer.accept();
    for (const frame of garbage) peer.raw(frameOf(frame));
    peer.binary([1, 2, 3]);
    peer.send(odd, { type: "toString" }, { type: "input.speech.started", extra: { deep: [1] } });
    await peer.end();
  });
  const { session, events } = sessionAt(server.url);
  await session.connect();
  assert.deepEqual(await session.end(), ENDED);
  const dropped = events.filter(([type]) => type === "dropped").map(([, detail]) => detail);
  assert.equal(dropped.length, garbage.length + 1);
  for (const { what, why, error } of dropped) {
    assert.deepEqual([what, why, error.code], ["message", "malformed", "malformed_message"]);
  }
  assert.deepEqual(typesOf(events).filter((type) => type === "input.speech.started").length, 1);
  assert.deepEqual({}.type, undefined);
});

test("a second session.ready, unasked errors and unknown replies do no harm", async (t) => {
  const server = await serving(t, async (peer) => {
    await peer.accept();
    peer.ready({ session_id: "sess_1", resume_token: "rt_9", config: CONFIG });
    peer.send(
      { type: "session.error", code: "invalid_audio", message: "What?", param: "audio" },
      { type: "session.error", code: "something_new", message: "?" },
      { type: "reply.done", reply_id: "never began", status: "completed" },
      { type: "reply.error", reply_id: "r", code: "llm_provider_error", message: "x" },
    );
    await peer.end();
  });
  const { session, events } = sessionAt(server.url);
  await session.connect();
  assert.deepEqual(await session.end(), ENDED);
  assert.equal(session.failure, null);
  assert.equal(typesOf(events).includes("failed"), false);
});

test("a server that does not answer the goodbye is left, and so is one that only closes", async (t) => {
  const deaf = async (peer) => {
    await peer.accept();
    peer.vanish();
  };
  const rude = async (peer) => {
    await peer.accept();
    await peer.receive("session.end");
    peer.close(1011);
  };
  const cut = async (peer) => {
    await peer.accept();
    await peer.receive("session.end");
    peer.socket.resetAndDestroy();
  };
  const server = await serving(t, deaf, rude, cut);
  for (const _ of [deaf, rude, cut]) {
    const { session } = sessionAt(server.url, { timings: { goodbyeMs: 40 } });
    await session.connect();
    assert.equal(await session.end(), null);
    assert.deepEqual([session.state, session.failure], ["ended", null]);
  }
  assert.equal(server.peers.length, 3);
});

test("a fatal error after which nothing follows ends the session all the same", async (t) => {
  const server = await serving(t, async (peer) => {
    await peer.accept();
    peer.send({ type: "session.error", code: "session_forbidden", message: "Not yours." });
    await peer.gone;
  });
  const { session } = sessionAt(server.url);
  const failed = session.waitFor("failed");
  await session.connect();
  assert.equal((await failed).code, "session_forbidden");
  await server.peers[0].gone;
});
