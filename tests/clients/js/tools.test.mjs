/** Tools: declared, called side by side, and answered for whatever they do. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ToolFailed } from "../../../clients/js/src/index.js";
import { sessionAt } from "./listening.mjs";
import { serving } from "./raw_server.mjs";

const call = (name, args, id = name) => ({ type: "tool.call", call_id: id, name, arguments: args });

/** The results of these calls, by the calls' ids; and what the session told. */
async function answersTo(t, calls, tools, options = {}) {
  const { ready, ...rest } = options;
  const results = {};
  const server = await serving(t, async (peer) => {
    await peer.accept(ready);
    peer.send(...calls);
    for (const _ of calls) {
      const { call_id, result, is_error } = await peer.receive("tool.result");
      results[call_id] = [result, is_error];
    }
    peer.send({ type: "input.speech.started" });
    await peer.end();
  });
  const { session, events } = sessionAt(server.url, { tools, ...rest });
  const heard = session.waitFor("input.speech.started");
  await session.connect();
  await heard;
  await session.end();
  return { results, events, first: server.peers[0].received[0].session };
}

test("tools with a declaration are declared, by name or in a list", async (t) => {
  const parameters = { type: "object", properties: { city: { type: "string" } } };
  const run = () => "";
  const raw = { type: "function", name: "raw", parameters };
  const rest = { description: "The weather.", parameters, timeout_seconds: 5, execution_mode: "hold" };
  const declared = [
    raw,
    { type: "function", name: "weather", ...rest },
    { type: "function", name: "bare", parameters: { type: "object", properties: {} } },
  ];
  const session = { tools: [raw] };
  const byName = { weather: { ...rest, run }, bare: { run }, raw: run };
  const listed = [{ name: "weather", ...rest, run }, { name: "bare", run }];
  for (const tools of [byName, listed]) {
    const { first } = await answersTo(t, [], tools, { session });
    assert.deepEqual(first.tools, declared);
  }
  assert.deepEqual((await answersTo(t, [], { raw: run })).first, {});
});

test("what a tool returns is told as text or JSON, what it throws as a failure", async (t) => {
  const tools = {
    text: () => "sunny",
    object: async ({ city }) => ({ city }),
    nothing: () => undefined,
    fails: async () => { throw new TypeError("no such city"); },
    refuses: () => { throw new ToolFailed("Ask for the city again."); },
    throwsText: () => { throw "text"; },
    circular: () => { const one = {}; one.one = one; return one; },
  };
  const calls = Object.keys(tools).map((name) => call(name, { city: "Ulm" }));
  const { results, events } = await answersTo(t, calls, tools);
  const { circular, ...others } = results;
  assert.deepEqual(others, {
    text: ["sunny", false],
    object: ['{"city":"Ulm"}', false],
    nothing: ["null", false],
    fails: ["fails failed: TypeError: no such city", true],
    refuses: ["Ask for the city again.", true],
    throwsText: ["throwsText failed: text", true],
  });
  assert.match(circular[0], /circular failed: TypeError/);
  assert.equal(circular[1], true);
  const failed = events.filter(([type]) => type === "tool.failed").map(([, { call: one }]) => one.name);
  assert.deepEqual(failed.sort(), ["circular", "fails", "throwsText"]);
});

test("arguments are an object, also from servers of earlier generations", async (t) => {
  const calls = [
    { type: "tool.call", call_id: "new", name: "echo", arguments: { n: 1 }, args: { n: 9 } },
    { type: "tool.call", call_id: "old", name: "echo", args: { n: 2 } },
    { type: "tool.call", call_id: "text", name: "echo", arguments: '{"n":3}' },
    { type: "tool.call", call_id: "none", name: "echo" },
    { type: "tool.call", call_id: "list", name: "echo", arguments: [1] },
    { type: "tool.call", call_id: "broken", name: "echo", arguments: "{" },
  ];
  const { results } = await answersTo(t, calls, { echo: (args) => args });
  assert.deepEqual(results, {
    new: ['{"n":1}', false],
    old: ['{"n":2}', false],
    text: ['{"n":3}', false],
    none: ["{}", false],
    list: ["The arguments of echo are no object.", true],
    broken: ["The arguments of echo are no object.", true],
  });
});

test("calls run side by side, each with its own context", async (t) => {
  const contexts = [];
  let release;
  const both = new Promise((resolve) => { release = resolve; });
  const meet = async ({ n }, context) => {
    contexts.push([context.callId, context.name, context.signal.aborted]);
    if (contexts.length === 2) release();
    await both;
    return n;
  };
  const { results } = await answersTo(t, [call("meet", { n: 1 }, "a"), call("meet", { n: 2 }, "b")], {
    meet,
  });
  assert.deepEqual(results, { a: ["1", false], b: ["2", false] });
  assert.deepEqual(contexts, [["a", "meet", false], ["b", "meet", false]]);
});

test("a tool that takes too long is answered for, and told", async (t) => {
  let told;
  const slow = {
    timeout_seconds: 0.02,
    run: (_, { signal }) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          told = signal.reason.code;
          resolve("too late");
        });
      }),
  };
  const { results } = await answersTo(t, [call("slow", {})], { slow });
  assert.deepEqual(results, { slow: ["There was no answer within 0.02 seconds.", true] });
  assert.equal(told, "timed_out");
});

test("the server's limit counts for a tool that is declared elsewhere", async (t) => {
  const config = { tools: [{ name: "slow", timeout_seconds: 0.02, http: null }] };
  const { results } = await answersTo(t, [call("slow", {})], { slow: () => new Promise(() => {}) }, {
    ready: { config },
  });
  assert.match(results.slow[0], /within 0.02 seconds/);
});

test("a call that is the server's to run, or nobody's, is an event only", async (t) => {
  const ran = [];
  const server = await serving(t, async (peer) => {
    await peer.accept({ config: { tools: [{ name: "http", http: { url: "https://x" } }] } });
    peer.send(call("http", {}), call("unknown", {}), call("constructor", {}));
    await peer.end();
  });
  const { session, events } = sessionAt(server.url, { tools: { http: () => ran.push(1) } });
  session.addEventListener("tool.call", ({ detail }) => {
    if (detail.name === "unknown") session.giveToolResult(detail.call_id, [1, 2]);
  });
  await session.connect();
  await session.end();
  assert.deepEqual(ran, []);
  assert.equal(events.filter(([type]) => type === "tool.call").length, 3);
  const results = server.peers[0].received.filter(({ type }) => type === "tool.result");
  assert.deepEqual(results.map(({ call_id, result }) => [call_id, result]), [["unknown", "[1,2]"]]);
});

test("tools may change during the session, and before", async (t) => {
  const server = await serving(t, async (peer) => {
    await peer.accept();
    await peer.receive("session.update");
    peer.send(call("second", {}));
    await peer.receive("tool.result");
    await peer.end();
  });
  const { session, sent } = sessionAt(server.url, { tools: { zero: { run() {} } } });
  const parameters = { type: "object", properties: {} };
  session.setTools({ first: { run() {} } });
  await session.connect();
  session.setTools({ second: { run: () => "two" } });
  await session.waitFor("sent", { where: ({ type }) => type === "tool.result" });
  session.setTools({ third: () => {} });
  session.setTools({ fourth: () => {} });
  await session.end();
  const updates = sent.filter(({ type }) => type === "session.update").map((one) => one.session);
  assert.deepEqual(updates, [
    { tools: [{ type: "function", name: "first", parameters }] },
    { tools: [{ type: "function", name: "second", parameters }] },
    { tools: [] },
  ]);
});

test("what still runs when the session is over is told, and answered nowhere", async (t) => {
  const server = await serving(t, async (peer) => {
    await peer.accept();
    peer.send(call("endless", {}));
    await peer.end();
  });
  let told;
  const tools = {
    endless: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          told = signal.reason.code;
          reject(signal.reason);
        });
      }),
  };
  const { session, events } = sessionAt(server.url, { tools });
  const called = session.waitFor("tool.call");
  await session.connect();
  await called;
  await session.end();
  assert.equal(told, "session_over");
  assert.deepEqual(events.at(-1), ["state", "ended"]);
  assert.equal(server.peers[0].received.some(({ type }) => type === "tool.result"), false);
});
