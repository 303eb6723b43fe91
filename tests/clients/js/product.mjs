/** Against a running Antiphon server with scripted providers; its address is in ANTIPHON_URL. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { fromBase64, Session, tokenFrom } from "../../../clients/js/src/index.js";
import { proxying } from "./cutting_proxy.mjs";
import { isIn, sessionAt, typesOf } from "./listening.mjs";

const URL_ = process.env.ANTIPHON_URL;
const HTTP = URL_.replace("ws:", "http:").replace("/v1/ws", "");
const WITHIN = { timeoutMs: 15_000 };

/** Sound as the scripted recogniser understands it. */
const loud = (ms) => Int16Array.from({ length: ms * 24 }, (_, index) => 9000 * Math.sin(index / 9));
const quiet = (ms) => new Int16Array(ms * 24);

/** Sends sound at the pace of speech, in frames of 40 ms. */
async function speak(session, samples) {
  for (let start = 0; start < samples.length; start += 960) {
    session.sendAudio(samples.subarray(start, start + 960));
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

test("an agent greets, is heard, and says goodbye", async () => {
  const { session, events } = sessionAt(URL_, {
    session: { greeting: "Good evening.", output: { voice: "alba" } },
    timeline: true,
  });
  const done = session.waitFor("reply.done", WITHIN);
  const timeline = session.waitFor("turn.timeline", WITHIN);
  let bytes = 0;
  session.addEventListener("reply.audio", ({ detail }) => {
    bytes += fromBase64(detail.data).length;
  });
  await session.connect();
  assert.equal(session.config.output.voice, "alba");
  assert.match(session.id, /^sess_/);
  assert.equal((await done).status, "completed");
  assert.equal((await timeline).trigger, "greeting");
  assert.ok(bytes > 1000);
  const said = events.find(([type]) => type === "transcript.agent")[1];
  assert.equal(said.text, "Good evening.");
  const goodbye = await session.end();
  assert.ok(goodbye.session_duration_seconds > 0);
});

test("what is spoken is understood and answered", async () => {
  const { session } = sessionAt(URL_);
  const understood = session.waitFor("transcript.user", WITHIN);
  const answered = session.waitFor("transcript.agent", WITHIN);
  await session.connect();
  await speak(session, loud(600));
  await speak(session, quiet(2000));
  assert.ok((await understood).text);
  assert.ok((await answered).text);
  await session.end();
});

test("what is written is answered", async () => {
  const { session } = sessionAt(URL_);
  const answered = session.waitFor("transcript.agent", WITHIN);
  await session.connect();
  session.addMessage("How are you?");
  session.createReply();
  assert.match((await answered).text, /How are you/);
  await session.end();
});

test("a refused setting says which", async () => {
  const { session } = sessionAt(URL_, { session: { output: { voice: "nobody" } } });
  await assert.rejects(session.connect(), (error) => {
    assert.deepEqual([error.code, error.param, error.fatal], ["invalid_value", "output.voice", true]);
    return true;
  });
});

test("a later update is accepted or refused, and the session goes on", async () => {
  const { session } = sessionAt(URL_);
  await session.connect();
  const updated = session.waitFor("session.updated", WITHIN);
  session.update({ output: { volume: 50 } });
  assert.equal((await updated).config.output.volume, 50);
  assert.equal(session.config.output.volume, 50);
  const refused = session.waitFor("session.error", WITHIN);
  session.update({ output: { voice: "alba" } });
  assert.deepEqual([(await refused).code, session.state], ["immutable_field", "ready"]);
  await session.end();
});

test("a session goes on after its connection was cut, with nothing lost or told twice", async (t) => {
  const proxy = await proxying(t, URL_);
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  const ran = [];
  const { session, events } = sessionAt(proxy.url, {
    session: { system_prompt: "Remember." },
    tools: {
      look_up: {
        description: "Looks something up.",
        parameters: { type: "object", properties: {} },
        run: async (args) => {
          ran.push(args);
          await released;
          return { found: "a blue door" };
        },
      },
    },
    timings: { firstDelayMs: 50, longestDelayMs: 500 },
  });
  await session.connect();
  const { id } = session;
  const called = session.waitFor("tool.call", WITHIN);
  session.addMessage("Please look it up.");
  session.createReply();
  await called;
  const lost = isIn(session, "reconnecting");
  proxy.reset();
  await lost;
  session.addMessage("Said while away.");
  release();
  await isIn(session, "ready");
  assert.deepEqual([session.id, session.resumes], [id, 1]);
  const text = await session.waitFor("transcript.agent", WITHIN);
  assert.ok(text.text);
  assert.equal(ran.length, 1);
  const seqs = events.map(([, detail]) => detail?.seq).filter(Boolean);
  assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b));
  await session.end();
  assert.equal(typesOf(events).filter((type) => type === "session.ended").length, 1);
});

test("a session goes on after its connection was cut again and again", async (t) => {
  const proxy = await proxying(t, URL_);
  const { session, events } = sessionAt(proxy.url, {
    session: { greeting: "One two three four five six seven eight nine ten." },
    timings: { firstDelayMs: 5 },
  });
  await session.connect();
  for (let times = 1; times <= 4; times += 1) {
    const back = session.waitFor("session.ready", WITHIN);
    proxy.reset();
    await back;
    session.addMessage(`Number ${times}.`);
    assert.equal(session.resumes, times);
  }
  const answered = session.waitFor("transcript.agent", {
    ...WITHIN,
    where: ({ text }) => text.includes("Number 4"),
  });
  session.createReply();
  await answered;
  assert.ok(await session.end());
  const lasting = events
    .filter(([type]) => ["reply.started", "reply.done", "transcript.agent"].includes(type))
    .map(([type, { reply_id }]) => `${type} ${reply_id}`);
  assert.deepEqual(lasting, [...new Set(lasting)]);
});

test("a session that somebody else took over is not fought for", async () => {
  const { session } = sessionAt(URL_);
  const failed = session.waitFor("failed", WITHIN);
  await session.connect();
  const hello = { type: "session.resume", session_id: session.id };
  const thief = new WebSocket(URL_);
  thief.onopen = () => thief.send(JSON.stringify(hello));
  assert.equal((await failed).code, "session_forbidden");
  thief.send('{"type":"session.end"}');
});

test("a token minted by the server opens a session", async () => {
  const getToken = tokenFrom(`${HTTP}/v1/token?expires_in_seconds=60`);
  const session = new Session({ url: HTTP, getToken });
  await session.connect();
  assert.ok(await session.end());
});
