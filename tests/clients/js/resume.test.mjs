/** A session whose socket is lost comes back: nothing is lost, nothing is told twice. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { isIn, sessionAt, typesOf } from "./listening.mjs";
import { ENDED, serving } from "./raw_server.mjs";

const SPEECH = { type: "input.speech.started", timestamp: 3 };

/** A script: starts the session, says these things, and loses the socket. */
function acceptThen(lose, ...before) {
  return async (peer) => {
    await peer.accept();
    peer.send(...before);
    await lose(peer);
  };
}

/** A script: lets the client resume, says these things, ends when asked. */
function comeBack(...after) {
  return async (peer) => {
    await peer.takeBack();
    peer.send(...after, SPEECH);
    await peer.end();
  };
}

const reset = (peer) => peer.reset();
const finish = async (peer) => {
  await peer.pinged();
  peer.socket.end();
};

for (const [name, lose] of Object.entries({ reset, finish })) {
  test(`a session comes back after its socket was lost by a ${name}`, async (t) => {
    const server = await serving(t, acceptThen(lose), comeBack());
    const { session, events } = sessionAt(`${server.url}?token=first`);
    const back = session.waitFor("input.speech.started");
    await session.connect();
    await back;
    assert.deepEqual([session.state, session.resumes, session.expiresAt], ["ready", 1, 2]);
    assert.deepEqual(typesOf(events).slice(4), [
      "state reconnecting", "session.ready", "state ready", "input.speech.started",
    ]); // prettier-ignore
    const [first, second] = server.peers;
    assert.deepEqual([first.token, second.token], ["first", "rt_1"]);
    assert.deepEqual(second.received, [{ type: "session.resume", session_id: "sess_1" }]);
    assert.deepEqual(await session.end(), ENDED);
  });
}

for (const code of [1008, 1011, 1012, 3005]) {
  test(`a close that nobody meant is come back from: ${code}`, async (t) => {
    const server = await serving(t, acceptThen((peer) => peer.close(code)), comeBack());
    const { session } = sessionAt(server.url);
    const back = session.waitFor("input.speech.started");
    await session.connect();
    await back;
    await session.end();
  });
}

for (const code of [1000, 1001]) {
  test(`a close that somebody meant is the end: ${code}`, async (t) => {
    const server = await serving(t, acceptThen((peer) => peer.close(code, "bye")));
    const { session } = sessionAt(server.url);
    const failed = session.waitFor("failed");
    await session.connect();
    const failure = await failed;
    assert.deepEqual([failure.code, failure.closeCode, failure.fatal], ["connection_lost", code, true]);
    assert.match(failure.message, /bye/);
    assert.equal(session.state, "ended");
    assert.equal(session.failure, failure);
    assert.equal(await session.end(), null);
    assert.equal(server.peers.length, 1);
  });
}

test("each connection has a fresh token; where none can be had, the resume token", async (t) => {
  const server = await serving(t, acceptThen(reset), async (peer) => {
    await peer.takeBack();
    await peer.reset();
  }, comeBack());
  let asked = 0;
  const getToken = async () => {
    asked += 1;
    if (asked === 3) throw new Error("offline");
    return `fresh${asked}`;
  };
  const { session } = sessionAt(server.url, { getToken });
  const back = session.waitFor("input.speech.started");
  await session.connect();
  await back;
  assert.deepEqual(server.peers.map(({ token }) => token), ["fresh1", "fresh2", "rt_2"]);
  assert.equal(session.resumes, 2);
  await session.end();
});

test("a reply in flight is over, and its end is not told again", async (t) => {
  const server = await serving(
    t,
    acceptThen(reset, { type: "reply.started", reply_id: "r1", item_id: "m1" }),
    comeBack(
      { type: "transcript.agent", reply_id: "r1", item_id: "m1", text: "Hel", interrupted: true },
      { type: "reply.done", reply_id: "r1", status: "interrupted" },
      { type: "reply.audio", reply_id: "r1", data: "AAAA" },
    ),
  );
  const { session, events } = sessionAt(server.url);
  const back = session.waitFor("input.speech.started");
  await session.connect();
  await back;
  assert.deepEqual(typesOf(events).slice(4), [
    "reply.started", "state reconnecting", "reply.done", "session.ready", "state ready",
    "transcript.agent", "input.speech.started",
  ]); // prettier-ignore
  const [, done] = events.find(([type]) => type === "reply.done");
  assert.deepEqual([done.reply_id, done.status], ["r1", "interrupted"]);
  assert.equal(session.replyId, null);
  await session.end();
});

for (const numbered of [true, false]) {
  const how = numbered ? "by number" : "by id";
  test(`what is sent again is told once, and a tool runs once: ${how}`, async (t) => {
    const lasting = [
      { type: "transcript.user", item_id: "u1", text: "Hi." },
      { type: "reply.started", reply_id: "r1", item_id: "m1" },
      { type: "tool.call", call_id: "c1", name: "count", arguments: { n: 1 } },
      { type: "reply.done", reply_id: "r1", status: "completed" },
    ].map((message, index) => (numbered ? { ...message, seq: index + 1 } : message));
    const fresh = { type: "transcript.user", item_id: "u2", text: "There." };
    const server = await serving(
      t,
      acceptThen(reset, ...lasting),
      comeBack(...lasting, numbered ? { ...fresh, seq: 5 } : fresh),
    );
    const ran = [];
    const { session, events } = sessionAt(server.url, { tools: { count: ({ n }) => ran.push(n) } });
    const back = session.waitFor("input.speech.started");
    await session.connect();
    await back;
    assert.deepEqual(ran, [1]);
    const told = typesOf(events).filter((type) => !type.startsWith("s") && type !== SPEECH.type);
    assert.deepEqual(told, [
      "transcript.user", "reply.started", "tool.call", "reply.done", "transcript.user",
    ]); // prettier-ignore
    const [asked] = server.peers[1].received;
    assert.equal(asked.last_seq, numbered ? 4 : undefined);
    await session.end();
  });
}

test("what is said while the line is down arrives, sound the latest two seconds", async (t) => {
  const server = await serving(t, acceptThen(reset), comeBack());
  const { session, events } = sessionAt(server.url);
  const back = session.waitFor("input.speech.started");
  const lost = isIn(session, "reconnecting");
  session.addEventListener("state", ({ detail }) => {
    if (detail !== "reconnecting") return;
    session.createReply("one");
    session.addMessage("two");
    for (const number of [1, 2, 3]) session.sendAudio(new Uint8Array(48_000).fill(number));
  });
  await session.connect();
  await lost;
  await back;
  await session.end();
  const [, one, two, ...sound] = server.peers[1].received;
  assert.deepEqual([one.instructions, two.content], ["one", "two"]);
  assert.deepEqual(
    sound.filter(({ type }) => type === "input.audio").map(({ audio }) => atob(audio).charCodeAt(0)),
    [2, 3],
  );
  const dropped = events.filter(([type]) => type === "dropped").map(([, detail]) => detail);
  assert.deepEqual(dropped, [{ what: "audio", why: "not_ready", bytes: 48_000 }]);
});

test("too much to say while the line is down is refused", async (t) => {
  const server = await serving(t, acceptThen(reset), comeBack());
  const { session } = sessionAt(server.url);
  const back = session.waitFor("input.speech.started");
  const refused = [];
  session.addEventListener("state", ({ detail }) => {
    if (detail !== "reconnecting") return;
    for (let times = 0; times < 300; times += 1) {
      try {
        session.createReply();
      } catch (error) {
        refused.push(error.code);
      }
    }
  });
  await session.connect();
  await back;
  await session.end();
  assert.equal(refused.length, 300 - 256);
  assert.equal(new Set(refused).has("queue_full"), true);
});

test("a tool's result is sent again after a resume, ahead of all else", async (t) => {
  const call = { type: "tool.call", call_id: "c1", name: "late", arguments: {} };
  let answer;
  const answered = new Promise((resolve) => { answer = resolve; });
  const server = await serving(t, acceptThen(reset, call), comeBack(), comeBack());
  const { session } = sessionAt(server.url, { tools: { late: () => answered } });
  const back = session.waitFor("input.speech.started");
  session.addEventListener("state", ({ detail }) => {
    if (detail !== "reconnecting") return;
    session.createReply();
    answer("done");
  });
  await session.connect();
  await back;
  await session.end();
  const types = server.peers[1].received.map(({ type }) => type);
  assert.deepEqual(types.slice(0, 3), ["session.resume", "tool.result", "reply.create"]);
});

for (const code of ["session_not_found", "session_expired", "session_forbidden", "unauthorized"]) {
  test(`an answer that there is nothing to come back to is believed: ${code}`, async (t) => {
    const server = await serving(t, acceptThen(reset), async (peer) => {
      await peer.receive("session.resume");
      peer.send({ type: "session.error", code, message: "No.", param: null, session_id: null });
      await peer.gone;
    });
    const { session, events } = sessionAt(server.url);
    const failed = session.waitFor("failed");
    await session.connect();
    const failure = await failed;
    assert.deepEqual([failure.code, failure.message, failure.fatal], [code, "No.", true]);
    assert.equal(await isIn(session, "ended"), "ended");
    assert.equal(server.peers.length, 2);
    assert.deepEqual(typesOf(events).slice(-3), ["session.error", "failed", "state ended"]);
  });
}

test("tries are few, and what the last failed with is kept", async (t) => {
  const refuse = async (peer) => {
    await peer.receive("session.resume");
    peer.send({ type: "session.error", code: "at_capacity", message: "Full." });
    await peer.gone;
  };
  const server = await serving(t, acceptThen(reset), refuse);
  const { session } = sessionAt(server.url);
  const failed = session.waitFor("failed");
  await session.connect();
  const failure = await failed;
  assert.equal(failure.code, "connection_lost");
  assert.equal(failure.cause.code, "at_capacity");
  assert.equal(server.peers.length, 1 + 5);
});

test("a server that takes back and drops at once is left after as many tries", async (t) => {
  const server = await serving(t, acceptThen(reset), async (peer) => {
    await peer.takeBack();
    await peer.reset();
  });
  const { session } = sessionAt(server.url);
  const failed = session.waitFor("failed");
  await session.connect();
  assert.equal((await failed).code, "connection_lost");
  assert.equal(server.peers.length, 1 + 5);
  assert.equal(session.resumes, 5);
});

test("a server that does not answer a resume is tried again in time", async (t) => {
  const hang = async (peer) => peer.gone;
  const server = await serving(t, acceptThen(reset), hang, comeBack());
  const { session } = sessionAt(server.url, { timings: { tryMs: 300 } });
  const back = session.waitFor("input.speech.started");
  await session.connect();
  await back;
  assert.equal(server.peers.length, 3);
  await session.end();
});

test("all tries together have an end", async (t) => {
  const server = await serving(t, acceptThen(reset), async (peer) => peer.gone);
  const { session } = sessionAt(server.url, { timings: { windowMs: 60, tryMs: 1000 } });
  const failed = session.waitFor("failed");
  await session.connect();
  const failure = await failed;
  assert.deepEqual([failure.code, failure.cause.code], ["connection_lost", "timed_out"]);
});

test("an error of the server's is come back from; if that cannot be, it is the reason", async (t) => {
  const internal = { type: "session.error", code: "internal_error", message: "Oops." };
  const fail = async (peer) => {
    await peer.accept();
    peer.send(internal);
    await peer.pinged();
    peer.close(1011);
  };
  const server = await serving(t, fail, comeBack(), fail, async (peer) => {
    await peer.receive("session.resume");
    peer.send({ type: "session.error", code: "session_not_found", message: "Gone." });
    await peer.gone;
  });
  const first = sessionAt(server.url).session;
  const back = first.waitFor("input.speech.started");
  await first.connect();
  await back;
  await first.end();
  const second = sessionAt(server.url).session;
  const failed = second.waitFor("failed");
  await second.connect();
  const failure = await failed;
  assert.deepEqual([failure.code, failure.cause.code], ["internal_error", "session_not_found"]);
});

test("a session that expired is over, after the server's goodbye", async (t) => {
  const server = await serving(t, async (peer) => {
    await peer.accept();
    peer.send({ type: "session.error", code: "session_expired", message: "Three hours." }, ENDED);
    peer.close(1008);
  });
  const { session, events } = sessionAt(server.url);
  const failed = session.waitFor("failed");
  await session.connect();
  assert.equal((await failed).code, "session_expired");
  await isIn(session, "ended");
  assert.deepEqual(session.ended, ENDED);
  assert.deepEqual(typesOf(events).slice(-4), [
    "session.error", "session.ended", "failed", "state ended",
  ]); // prettier-ignore
  assert.equal(server.peers.length, 1);
});

test("a session may be told not to come back", async (t) => {
  const server = await serving(t, acceptThen(reset));
  const { session } = sessionAt(server.url, { resume: false });
  const failed = session.waitFor("failed");
  await session.connect();
  assert.equal((await failed).code, "connection_lost");
  assert.equal(server.peers.length, 1);
});

test("without a resume token there is nothing to come back with", async (t) => {
  const server = await serving(t, async (peer) => {
    await peer.accept({ resume_token: "" });
    await peer.reset();
  });
  const { session } = sessionAt(server.url);
  const failed = session.waitFor("failed");
  await session.connect();
  assert.equal((await failed).closeCode, 1006);
});

test("ending while the line is down says goodbye on the next", async (t) => {
  const server = await serving(t, acceptThen(reset), async (peer) => {
    await peer.takeBack();
    await peer.end();
  });
  const { session } = sessionAt(server.url);
  const lost = isIn(session, "reconnecting");
  await session.connect();
  await lost;
  assert.deepEqual(await session.end(), ENDED);
  assert.equal(session.failure, null);
});

test("ending while the line is down for good does not take for ever", async (t) => {
  const server = await serving(t, acceptThen(reset), async (peer) => peer.gone);
  const { session } = sessionAt(server.url, { timings: { goodbyeMs: 30 } });
  const lost = isIn(session, "reconnecting");
  await session.connect();
  await lost;
  assert.equal(await session.end(), null);
  assert.equal(session.failure, null);
});

test("ending when too much waits already does not wait for it", async (t) => {
  const server = await serving(t, acceptThen(reset), async (peer) => peer.gone);
  const { session } = sessionAt(server.url);
  const lost = isIn(session, "reconnecting");
  await session.connect();
  await lost;
  for (let times = 0; times < 256; times += 1) session.createReply();
  assert.equal(await session.end(), null);
  assert.equal(session.failure, null);
});
