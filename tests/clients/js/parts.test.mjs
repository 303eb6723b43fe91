/** The parts that need no server. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { socketUrl, withoutToken, withToken } from "../../../clients/js/src/address.js";
import { fromBase64, toBase64 } from "../../../clients/js/src/base64.js";
import { Delivered } from "../../../clients/js/src/delivered.js";
import { longestDelay, pause, TIMINGS } from "../../../clients/js/src/timings.js";

test("base64 is that of everybody else, for any length", () => {
  for (const length of [0, 1, 2, 3, 4, 1919, 1920, 0x8000, 0x8001, 300_000]) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 31) % 256);
    const text = Buffer.from(bytes).toString("base64");
    assert.equal(toBase64(bytes), text);
    assert.deepEqual(fromBase64(text), bytes);
  }
  const memory = Uint8Array.from([1, 2, 3, 4]);
  assert.equal(toBase64(memory.subarray(1, 3)), "AgM=");
});

test("the engine's own base64 is used where it has one that works", async (t) => {
  const bytes = Uint8Array.prototype;
  const own = [bytes.toBase64, Uint8Array.fromBase64];
  t.after(() => {
    [bytes.toBase64, Uint8Array.fromBase64] = own;
    if (!own[0]) delete bytes.toBase64;
    if (!own[1]) delete Uint8Array.fromBase64;
  });
  let used = 0;
  bytes.toBase64 = function toBase64() {
    used += 1;
    return Buffer.from(this.buffer, this.byteOffset, this.length).toString("base64");
  };
  Uint8Array.fromBase64 = (text) => {
    used += 1;
    return new Uint8Array(Buffer.from(text, "base64"));
  };
  const newer = await import("../../../clients/js/src/base64.js?newer");
  assert.equal(newer.toBase64(new Uint8Array([1, 2, 3]).subarray(1)), "AgM=");
  assert.deepEqual(newer.fromBase64("AgM="), new Uint8Array([2, 3]));
  assert.equal(used, 3);
  bytes.toBase64 = () => "wrong";
  const broken = await import("../../../clients/js/src/base64.js?broken");
  assert.equal(broken.toBase64(new Uint8Array([2, 3])), "AgM=");
});

test("what is not base64 is refused with an error of the package", () => {
  for (const text of ["*", "A", "AAA!", "\u{1F600}"]) {
    assert.throws(() => fromBase64(text), { name: "AntiphonError", code: "malformed_message" });
  }
});

test("an address may be written as a person would", () => {
  const written = {
    "ws://h:1": "ws://h:1/v1/ws",
    "http://h:1/": "ws://h:1/v1/ws",
    "https://h/v1": "wss://h/v1/ws",
    "wss://h/v1/ws/": "wss://h/v1/ws",
    "https://h/behind/proxy": "wss://h/behind/proxy",
    " wss://h/v1/ws?a=b#c ": "wss://h/v1/ws?a=b",
  };
  for (const [url, meant] of Object.entries(written)) {
    assert.equal(socketUrl(url, { timeline: false }).href, meant);
  }
  const timed = socketUrl(new URL("ws://h/?timeline=1"), { timeline: true });
  assert.equal(timed.href, "ws://h/v1/ws?timeline=1");
});

test("in a page the address may be relative, or left out", (t) => {
  t.after(() => delete globalThis.location);
  globalThis.location = { href: "https://h:8400/console/calls?token=x#top" };
  const addresses = [undefined, "/", "/v1/ws", "//other"].map((url) => socketUrl(url, { timeline: false }).href);
  assert.deepEqual(addresses, [
    "wss://h:8400/v1/ws", "wss://h:8400/v1/ws", "wss://h:8400/v1/ws", "wss://other/v1/ws",
  ]); // prettier-ignore
});

test("a credential is put into the address, and taken out of it", () => {
  const address = new URL("wss://me:pw@h/v1/ws?a=1&token=old");
  assert.equal(withToken(address, "n&w"), "wss://me:pw@h/v1/ws?a=1&token=n%26w");
  assert.equal(withToken(address, null), address.href);
  assert.equal(withoutToken(address).href, "wss://h/v1/ws?a=1");
});

test("lasting events are known again by their number, or by what they are about", () => {
  const delivered = new Delivered();
  assert.equal(delivered.isNew({ type: "input.speech.started", seq: 1 }), true);
  assert.equal(delivered.isNew({ type: "input.speech.stopped", seq: 1 }), false);
  assert.equal(delivered.isNew({ type: "input.speech.stopped" }), true);
  assert.equal(delivered.isNew({ type: "input.speech.stopped" }), true);
  assert.equal(delivered.isNew({ type: "reply.done", reply_id: "r" }), true);
  assert.equal(delivered.isNew({ type: "reply.done", reply_id: "r" }), false);
  assert.equal(delivered.isNew({ type: "reply.started", reply_id: "r" }), true);
  assert.equal(delivered.isDone("r"), true);
  assert.equal(delivered.isDone("s"), false);
  assert.equal(delivered.isNew({ type: "reply.started", reply_id: "q", seq: "5" }), true);
  assert.equal(delivered.lastSeq, 1);
});

test("only so many events are remembered, the latest", () => {
  const delivered = new Delivered();
  for (let id = 0; id < 300; id += 1) delivered.isNew({ type: "tool.call", call_id: `${id}` });
  assert.equal(delivered.isNew({ type: "tool.call", call_id: "299" }), false);
  assert.equal(delivered.isNew({ type: "tool.call", call_id: "0" }), true);
});

test("the waits before tries are those of the protocol", () => {
  const waits = [0, 1, 2, 3, 4, 5, 9].map((number) => longestDelay(number, TIMINGS));
  assert.deepEqual(waits, [250, 500, 1000, 2000, 4000, 5000, 5000]);
});

test("a pause ends in time, with an event of the window, or with the signal", async (t) => {
  const page = new EventTarget();
  globalThis.addEventListener = page.addEventListener.bind(page);
  globalThis.removeEventListener = page.removeEventListener.bind(page);
  t.after(() => {
    delete globalThis.addEventListener;
    delete globalThis.removeEventListener;
  });
  const life = new AbortController();
  await pause(1, life.signal);
  const online = pause(1e6, life.signal, "online");
  page.dispatchEvent(new Event("online"));
  await online;
  const stopped = pause(1e6, life.signal);
  life.abort(new Error("over"));
  await assert.rejects(stopped, { message: "over" });
  await assert.rejects(pause(1e6, life.signal), { message: "over" });
});
