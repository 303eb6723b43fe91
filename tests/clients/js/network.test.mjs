/** Lines that go dead, and networks that come and go. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { isIn, sessionAt } from "./listening.mjs";
import { serving } from "./raw_server.mjs";

const SPEECH = { type: "input.speech.started", timestamp: 3 };

async function comeBack(peer) {
  await peer.takeBack();
  peer.send(SPEECH);
  await peer.end();
}

/** A window, whose events a test makes. */
function windowFor(t) {
  const page = new EventTarget();
  globalThis.addEventListener = page.addEventListener.bind(page);
  globalThis.removeEventListener = page.removeEventListener.bind(page);
  t.after(() => {
    delete globalThis.addEventListener;
    delete globalThis.removeEventListener;
    delete globalThis.navigator.onLine;
  });
  return {
    goes(onLine) {
      Object.defineProperty(globalThis.navigator, "onLine", { value: onLine, configurable: true });
      page.dispatchEvent(new Event(onLine ? "online" : "offline"));
    },
  };
}

test("a line that went dead without a word is come back from", async (t) => {
  const server = await serving(t, async (peer) => {
    await peer.accept();
    peer.vanish();
  }, comeBack);
  const { session, sent } = sessionAt(server.url, { timings: { keepaliveMs: 200 } });
  const back = session.waitFor("input.speech.started");
  await session.connect();
  await back;
  assert.equal(session.resumes, 1);
  assert.deepEqual(sent[1], { type: "session.update", session: {} });
  await session.end();
});

test("a server that is silent but there is not left", async (t) => {
  const server = await serving(t, async (peer) => {
    await peer.accept();
    for (let times = 0; times < 3; times += 1) {
      const { session } = await peer.receive("session.update");
      assert.deepEqual(session, {});
      peer.send({ type: "session.updated", config: { id: "sess_1" } });
    }
    peer.send(SPEECH);
    await peer.end();
  });
  const { session } = sessionAt(server.url, { timings: { keepaliveMs: 150 } });
  const heard = session.waitFor("input.speech.started");
  await session.connect();
  await heard;
  assert.equal(session.resumes, 0);
  await session.end();
});

test("a network that went is a reason to ask at once, and to wait for its return", async (t) => {
  const page = windowFor(t);
  const server = await serving(t, async (peer) => {
    await peer.accept();
    peer.vanish();
  }, comeBack);
  // Nothing of this would come in time by itself.
  const timings = { keepaliveMs: 400, longestDelayMs: 60_000, windowMs: 60_000 };
  const { session } = sessionAt(server.url, { timings });
  const back = session.waitFor("input.speech.started");
  await session.connect();
  page.goes(false);
  await isIn(session, "reconnecting");
  assert.equal(server.peers.length, 1);
  page.goes(true);
  await back;
  await session.end();
});

test("a network that changed is no reason to leave a server that answers", async (t) => {
  const page = windowFor(t);
  const server = await serving(t, async (peer) => {
    await peer.accept();
    await peer.receive("session.update");
    peer.send({ type: "session.updated", config: { id: "sess_1" } }, SPEECH);
    await peer.end();
  });
  const { session } = sessionAt(server.url, { timings: { keepaliveMs: 60_000 } });
  const heard = session.waitFor("input.speech.started");
  await session.connect();
  page.goes(true);
  await heard;
  assert.equal(session.resumes, 0);
  await session.end();
});

test("a session that is over does not listen to the window any more", async (t) => {
  const page = windowFor(t);
  let asked = 0;
  const server = await serving(t, async (peer) => {
    await peer.accept();
    await peer.end();
  });
  const { session } = sessionAt(server.url, { timings: { keepaliveMs: 60_000 } });
  await session.connect();
  await session.end();
  session.addEventListener("sent", () => {
    asked += 1;
  });
  page.goes(true);
  assert.equal(asked, 0);
});
