/** What a voice agent makes of messages, where there is no sound: its turns, and its refusals. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { VoiceAgent } from "../../../clients/js/src/index.js";
import { Transcript } from "../../../clients/js/src/transcript.js";

const user = (text, item_id = "u1") => ({ type: "transcript.user.delta", item_id, text });
const agent = (delta, item_id = "a1") => ({
  type: "transcript.agent.delta", reply_id: "r1", item_id, delta, start_ms: 0, end_ms: 1,
});

test("turns grow, end, and are kept in order", () => {
  const transcript = new Transcript();
  const turn = transcript.take(user("Is it"));
  assert.deepEqual([turn.text, turn.isFinal], ["Is it", false]);
  assert.equal(transcript.take(user("Is it late?")), turn);
  transcript.take({ type: "transcript.user", item_id: "u1", text: "Is it late?" });
  transcript.take(agent("It "));
  transcript.take(agent("is."));
  assert.deepEqual(
    transcript.turns.map(({ role, text, isFinal }) => [role, text, isFinal]),
    [["user", "Is it late?", true], ["agent", "It is.", false]],
  );
});

test("an interrupted turn ends where it was cut, and no late word changes it", () => {
  const transcript = new Transcript();
  transcript.take(agent("One "));
  transcript.take(agent("two "));
  const final = { type: "transcript.agent", reply_id: "r1", item_id: "a1", text: "One", interrupted: true };
  const turn = transcript.take(final);
  assert.equal(transcript.take(agent("three")), null);
  assert.deepEqual([turn.text, turn.isFinal, turn.isInterrupted, turn.replyId], ["One", true, true, "r1"]);
});

test("other messages are no turns", () => {
  const transcript = new Transcript();
  assert.equal(transcript.take({ type: "reply.started", reply_id: "r1" }), null);
  assert.equal(transcript.take({ type: "from.the.future" }), null);
  assert.deepEqual(transcript.turns, []);
});

test("what is written is a turn of its own each time", () => {
  const transcript = new Transcript();
  transcript.write("Hello.");
  transcript.write("Hello.");
  assert.deepEqual(transcript.turns.map(({ text }) => text), ["Hello.", "Hello."]);
});

test("a telephone's encoding is refused, for a browser plays none", () => {
  const session = { output: { format: { encoding: "audio/pcmu" } } };
  assert.throws(() => new VoiceAgent({ url: "ws://127.0.0.1", session }), {
    code: "invalid_options",
    param: "output.format",
  });
});

test("where there is no sound at all it says so, once, and leaves nothing", async () => {
  const one = new VoiceAgent({ url: "ws://127.0.0.1:1" });
  await assert.rejects(one.start(), { name: "AntiphonError" });
  await assert.rejects(one.start(), { code: "invalid_options" });
  assert.deepEqual([one.microphone, one.player], [null, null]);
  await one.stop();
});
