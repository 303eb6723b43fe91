// Speaks a recording to the agent and writes the answer to a file.
//
//     node speak_a_file.mjs QUESTION.wav ANSWER.wav [URL]

import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

import { fromBase64, Session } from "antiphon";

import { RATE, readWav, writeWav } from "./wav.mjs";

const FRAME_MS = 40;
const FRAME = (RATE * FRAME_MS) / 1000;

const [question, answer, url = "ws://127.0.0.1:8400"] = process.argv.slice(2);
if (!answer) {
  console.error("usage: node speak_a_file.mjs QUESTION.wav ANSWER.wav [URL]");
  process.exit(2);
}

const samples = readWav(await readFile(question));
const session = new Session({ url, session: { system_prompt: "Be brief." } });

const heard = [];
session.addEventListener("reply.audio", ({ detail }) => heard.push(fromBase64(detail.data)));
session.addEventListener("transcript.user", ({ detail }) => console.log("heard:   ", detail.text));
session.addEventListener("transcript.agent", ({ detail }) => console.log("answered:", detail.text));

/** Sends the recording and then silence, at the pace at which people speak. */
async function speak(until) {
  const startedAt = performance.now();
  for (let frame = 0; !until.aborted; frame += 1) {
    const piece = new Int16Array(FRAME);
    piece.set(samples.subarray(frame * FRAME, (frame + 1) * FRAME));
    session.sendAudio(piece);
    const due = startedAt + (frame + 1) * FRAME_MS;
    await pause(Math.max(0, due - performance.now()));
  }
}

await session.connect();
const answered = new AbortController();
const speaking = speak(answered.signal);
await session.waitFor("transcript.user");
await session.waitFor("reply.done");
answered.abort();
await speaking;
await writeFile(answer, writeWav(Buffer.concat(heard)));
await session.end();
