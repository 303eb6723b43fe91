/** A session with a server that behaves: hello, events, what is said, goodbye. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { AntiphonError, Session, toBase64, tokenFrom } from "../../../clients/js/src/index.js";
import { sessionAt, typesOf } from "./listening.mjs";
import { ENDED, serving } from "./raw_server.mjs";

async function quiet(peer) {
  await peer.accept();
  await peer.end();
}

test("a session says hello first, and is ready when the server says so", async (t) => {
  const server = await serving(t, quiet);
  const { session, events, sent } = sessionAt(server.url, {
    session: { system_prompt: "Be brief.", output: { voice: "anna" } },
  });
  assert.equal(session.state, "idle");
  assert.equal(await session.connect(), session);
  assert.equal(session.state, "ready");
  assert.deepEqual([session.id, session.expiresAt, session.config.output.voice], ["sess_1", 1, "anna"]);
  assert.deepEqual(sent[0], {
    type: "session.update",
    session: { system_prompt: "Be brief.", output: { voice: "anna" } },
  });
  assert.deepEqual(server.peers[0].received, [sent[0]]);
  assert.deepEqual(await session.end(), ENDED);
  assert.deepEqual(session.ended, ENDED);
  assert.equal(session.failure, null);
  assert.deepEqual(typesOf(events), [
    "state connecting", "session.updated", "session.ready", "state ready",
    "session.ended", "state ended",
  ]); // prettier-ignore
});

test("every message of the server is an event of its type, and one of 'message'", async (t) => {
  const newer = { type: "weather.changed", to: "rain" };
  const audio = { type: "reply.audio", reply_id: "r", data: "AAAA", timestamp: 2 };
  const server = await serving(t, async (peer) => {
    await peer.accept();
    peer.send(audio, newer);
    await peer.end();
  });
  const { session, events } = sessionAt(server.url);
  const heard = [];
  session.addEventListener("reply.audio", (event) => heard.push(event.detail));
  session.addEventListener("weather.changed", (event) => heard.push(event.detail));
  await session.connect();
  await session.end();
  assert.deepEqual(heard, [audio, newer]);
  const said = events.filter(([type]) => type === audio.type || type === newer.type);
  assert.deepEqual(said, [[audio.type, audio], [newer.type, newer]]);
});

test("a message cannot pass for an event of the session's own", async (t) => {
  const server = await serving(t, async (peer) => {
    await peer.accept();
    for (const type of ["failed", "state", "sent", "dropped", "tool.failed"]) peer.send({ type });
    peer.send({ type: "message", n: 1 });
    await peer.end();
  });
  const { session, sent } = sessionAt(server.url);
  const own = [];
  for (const type of ["failed", "state", "dropped", "tool.failed"]) {
    session.addEventListener(type, ({ detail }) => own.push([type, detail]));
  }
  const messages = [];
  session.addEventListener("message", ({ detail }) => messages.push(detail.type));
  await session.connect();
  await session.end();
  assert.deepEqual(own.map(([type]) => type), ["state", "state", "state"]);
  assert.deepEqual(sent.map(({ type }) => type), ["session.update", "session.end"]);
  assert.equal(messages.filter((type) => type === "message").length, 1);
});

test("what is said reaches the server as the protocol has it", async (t) => {
  const server = await serving(t, quiet);
  const { session } = sessionAt(server.url);
  await session.connect();
  session.update({ input: { keyterms: ["Antiphon"] } });
  session.createReply();
  session.createReply("Greet.");
  session.say("Good evening.");
  session.addMessage("I am Ann.");
  session.addMessage("It rains.", "system");
  session.cancelReply("resp_1");
  session.cancelReply();
  session.giveToolResult("c1", { ok: true });
  session.giveToolResult("c2", "no", { isError: true });
  await session.end();
  assert.deepEqual(server.peers[0].received.slice(1), [
    { type: "session.update", session: { input: { keyterms: ["Antiphon"] } } },
    { type: "reply.create" },
    { type: "reply.create", instructions: "Greet." },
    {
      type: "reply.create",
      instructions: "Say exactly the following, and nothing else: Good evening.",
    },
    { type: "conversation.message", role: "user", content: "I am Ann." },
    { type: "conversation.message", role: "system", content: "It rains." },
    { type: "reply.cancel", reply_id: "resp_1" },
    { type: "tool.result", call_id: "c1", result: '{"ok":true}', is_error: false },
    { type: "tool.result", call_id: "c2", result: "no", is_error: true },
    { type: "session.end" },
  ]);
});

test("the reply that is under way is cancelled by default", async (t) => {
  const server = await serving(t, async (peer) => {
    await peer.accept();
    peer.send({ type: "reply.started", reply_id: "resp_7", item_id: "m" });
    const { reply_id } = await peer.receive("reply.cancel");
    peer.send({ type: "reply.done", reply_id, status: "interrupted" });
    await peer.end();
  });
  const { session } = sessionAt(server.url);
  const started = session.waitFor("reply.started");
  await session.connect();
  await started;
  assert.equal(session.replyId, "resp_7");
  const done = session.waitFor("reply.done");
  session.cancelReply();
  assert.equal((await done).status, "interrupted");
  assert.equal(session.replyId, null);
  await session.end();
});

test("late sound of a reply that is over is not heard", async (t) => {
  const server = await serving(t, async (peer) => {
    await peer.accept();
    peer.send({ type: "reply.started", reply_id: "r", item_id: "m" });
    peer.send({ type: "reply.done", reply_id: "r", status: "interrupted" });
    peer.send({ type: "reply.audio", reply_id: "r", data: "AAAA" });
    await peer.end();
  });
  const { session, events } = sessionAt(server.url);
  await session.connect();
  await session.end();
  assert.equal(typesOf(events).includes("reply.audio"), false);
});

test("sound is sent as base64, whatever holds it, a second at most at a time", async (t) => {
  const server = await serving(t, quiet);
  const { session } = sessionAt(server.url);
  await session.connect();
  const bytes = Uint8Array.from({ length: 60_000 }, (_, index) => index % 256);
  assert.equal(session.sendAudio(bytes), true);
  assert.equal(session.sendAudio(new Int16Array([1, -1])), true);
  assert.equal(session.sendAudio(bytes.subarray(1, 3)), true);
  assert.equal(session.sendAudio(new DataView(bytes.buffer, 4, 2)), true);
  assert.equal(session.sendAudio(new Uint8Array([9]).buffer), true);
  assert.equal(session.sendAudio(new Uint8Array()), true);
  await session.end();
  const audio = server.peers[0].received.filter(({ type }) => type === "input.audio");
  assert.deepEqual(
    audio.map((message) => message.audio),
    [
      toBase64(bytes.subarray(0, 48_000)), toBase64(bytes.subarray(48_000)),
      "AQD//w==", "AQI=", "BAU=", "CQ==",
    ], // prettier-ignore
  );
});

test("a second of G.711 is shorter than one of PCM", async (t) => {
  const server = await serving(t, quiet);
  const format = { encoding: "audio/pcmu" };
  const { session } = sessionAt(server.url, { session: { input: { format } } });
  const config = { input: { format } };
  session.addEventListener("session.ready", ({ detail }) => Object.assign(detail.config, config));
  const connecting = session.connect();
  session.sendAudio(new Uint8Array(12_000));
  await connecting;
  await session.end();
  const audio = server.peers[0].received.filter(({ type }) => type === "input.audio");
  assert.deepEqual(audio.map((message) => atob(message.audio).length), [8000, 4000]);
});

test("sound from before the session is ready waits for it, the latest two seconds", async (t) => {
  const server = await serving(t, quiet);
  const { session, events } = sessionAt(server.url);
  const connecting = session.connect();
  const memory = new Uint8Array(48_000);
  assert.equal(session.sendAudio(memory.fill(1)), true);
  assert.equal(session.sendAudio(memory.fill(2)), true);
  assert.equal(session.sendAudio(memory.fill(3)), false);
  await connecting;
  await session.end();
  const audio = server.peers[0].received.filter(({ type }) => type === "input.audio");
  assert.deepEqual(audio.map((message) => atob(message.audio).charCodeAt(0)), [2, 3]);
  assert.deepEqual(
    events.filter(([type]) => type === "dropped").map(([, detail]) => detail),
    [{ what: "audio", why: "not_ready", bytes: 48_000 }],
  );
});

test("while the network does not keep up, sound is dropped, and nothing else", async (t) => {
  let stalled;
  const server = await serving(t, async (peer) => {
    await peer.accept();
    peer.socket.pause();
    stalled = peer;
    await peer.receive("reply.create");
    await peer.end();
  });
  const { session, events } = sessionAt(server.url);
  await session.connect();
  // Two seconds may wait on this side, and some megabytes in the kernel; then it is enough.
  const second = new Uint8Array(48_000);
  let taken = 0;
  while (session.sendAudio(second) && taken < 5000) {
    taken += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(taken < 5000);
  assert.deepEqual(events.at(-1), ["dropped", { what: "audio", why: "backpressure", bytes: 48_000 }]);
  session.createReply();
  stalled.socket.resume();
  assert.deepEqual(await session.end(), ENDED);
});

test("a fixed token goes into the address, and the address may be of any form", async (t) => {
  const server = await serving(t, quiet);
  for (const url of [server.url, server.url.replace("ws:", "http:"), `${server.url}/v1/ws?x=1`]) {
    const { session } = sessionAt(url, { token: "t&1", timeline: true });
    await session.connect();
    await session.end();
  }
  assert.deepEqual(
    server.peers.map(({ url }) => url.pathname + url.search),
    ["/v1/ws?timeline=1&token=t%261", "/v1/ws?timeline=1&token=t%261", "/v1/ws?x=1&timeline=1&token=t%261"],
  );
});

test("a token is asked for, in any form; none is none", async (t) => {
  const server = await serving(t, quiet);
  for (const given of ["plain", { token: "object" }, Promise.resolve("later"), null, undefined]) {
    const { session } = sessionAt(server.url, { getToken: () => given });
    await session.connect();
    await session.end();
  }
  assert.deepEqual(server.peers.map(({ token }) => token), ["plain", "object", "later", null, null]);
});

test("a session that is not connected, or over, says so", async (t) => {
  const server = await serving(t, quiet);
  const { session } = sessionAt(server.url);
  assert.throws(() => session.createReply(), { name: "AntiphonError", code: "not_connected" });
  await session.connect();
  await assert.rejects(session.connect(), { code: "invalid_options" });
  await session.end();
  assert.throws(() => session.createReply(), { code: "session_over" });
  assert.throws(() => session.giveToolResult("c", "r"), { code: "session_over" });
  assert.equal(session.sendAudio(new Uint8Array(2)), false);
  await assert.rejects(session.waitFor("reply.done"), { code: "session_over" });
  assert.deepEqual(await session.end(), ENDED);
});

test("a session that was never connected can be ended", async () => {
  const { session, events } = sessionAt("ws://127.0.0.1:1");
  assert.equal(await session.end(), null);
  assert.deepEqual(events, [["state", "ended"]]);
  await assert.rejects(session.connect(), { code: "invalid_options" });
});

test("ending while it connects gives up, at any moment of it", async (t) => {
  const server = await serving(t, async (peer) => peer.gone);
  const moments = [
    (session) => setImmediate(() => session.end()),
    (session) => session.addEventListener("sent", () => session.end()),
    (session) => session.addEventListener("state", () => session.end(), { once: true }),
  ];
  for (const moment of moments) {
    const { session, events } = sessionAt(server.url);
    moment(session);
    await assert.rejects(session.connect(), { code: "session_over" });
    assert.equal(await session.end(), null);
    assert.equal(session.failure, null);
    assert.deepEqual(typesOf(events), ["state connecting", "state ended"]);
  }
});

test("waiting for an event: the one that fits, in time, and not beyond the session", async (t) => {
  const server = await serving(t, async (peer) => {
    await peer.accept();
    peer.send({ type: "transcript.user", item_id: "1", text: "One." });
    peer.send({ type: "transcript.user", item_id: "2", text: "Two." });
    await peer.end();
  });
  const { session } = sessionAt(server.url);
  const two = session.waitFor("transcript.user", { where: ({ text }) => text === "Two." });
  const wrong = session.waitFor("transcript.user", { where: () => { throw new Error("mine"); } });
  await session.connect();
  assert.equal((await two).item_id, "2");
  await assert.rejects(wrong, { message: "mine" });
  await assert.rejects(session.waitFor("tool.call", { timeoutMs: 1 }), { code: "timed_out" });
  const never = session.waitFor("tool.call");
  await Promise.all([session.end(), assert.rejects(never, { code: "session_over" })]);
});

test("what a listener throws is its own, and stops nothing", async (t) => {
  const server = await serving(t, quiet);
  const { session } = sessionAt(server.url);
  const thrown = [];
  process.setUncaughtExceptionCaptureCallback((error) => thrown.push(error.message));
  t.after(() => process.setUncaughtExceptionCaptureCallback(null));
  session.addEventListener("session.ready", () => { throw new Error("mine"); });
  await session.connect();
  assert.deepEqual(await session.end(), ENDED);
  assert.deepEqual(thrown, ["mine"]);
});

test("options that cannot work are refused at once, in words", () => {
  const refused = [
    [{ url: "ftp://host" }, "url"],
    [{ url: "not an address" }, "url"],
    [{ url: "" }, "url"],
    [{}, "url"],
    [{ url: "ws://h", session: { agent_id: "a" }, tools: { f: { run() {} } } }, "tools"],
    [{ url: "ws://h", tools: { f: {} } }, "tools"],
    [{ url: "ws://h", tools: [{ run() {} }] }, "tools"],
    [{ url: "ws://h", tools: [{ name: "f", run() {} }, { name: "f", run() {} }] }, "tools"],
    [{ url: "ws://h", tools: { f: null } }, "tools"],
  ];
  for (const [options, param] of refused) {
    assert.throws(
      () => new Session(options),
      (error) => error instanceof AntiphonError && error.param === param && !error.fatal,
    );
  }
});

test("where there is no WebSocket, it says what to do", (t) => {
  const { WebSocket: own } = globalThis;
  t.after(() => { globalThis.WebSocket = own; });
  delete globalThis.WebSocket;
  assert.throws(() => new Session({ url: "ws://h" }), { param: "WebSocket", message: /Node 22/ });
});

test("a WebSocket may be passed in", async (t) => {
  const server = await serving(t, quiet);
  const opened = [];
  class Own extends WebSocket {
    constructor(url) {
      super(url);
      opened.push(url);
    }
  }
  const { session } = sessionAt(server.url, { WebSocket: Own });
  await session.connect();
  await session.end();
  assert.deepEqual(opened, [`${server.url}/v1/ws`]);
});

test("a server of one's own mints tokens", async (t) => {
  const answers = [
    () => Response.json({ token: "minted" }),
    () => new Response("no", { status: 403 }),
    () => new Response("<html>"),
    () => Response.json({ nothing: true }),
    () => { throw new TypeError("fetch failed"); },
  ];
  const asked = [];
  const { fetch } = globalThis;
  t.after(() => { globalThis.fetch = fetch; });
  globalThis.fetch = async (url, init) => {
    asked.push([url, init]);
    return answers.shift()();
  };
  const getToken = tokenFrom("/my/token", { method: "POST" });
  assert.equal(await getToken(), "minted");
  assert.deepEqual(asked, [["/my/token", { cache: "no-store", method: "POST" }]]);
  await assert.rejects(getToken(), { code: "token_failed", message: /HTTP 403/ });
  await assert.rejects(getToken(), { code: "token_failed", message: /without a "token"/ });
  await assert.rejects(getToken(), { code: "token_failed" });
  await assert.rejects(getToken(), { code: "token_failed", message: /cannot be reached/ });
});
