/** The jitter buffer, in virtual time: what is pulled is the clock. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { JitterBuffer } from "../../../clients/js/src/audio/jitter_buffer.js";
import { RATE } from "../../../clients/js/src/audio/pcm.js";
import { Playout } from "../../../clients/js/src/audio/playout.js";

const SAMPLES_PER_MS = RATE / 1000;
/** A block of an AudioWorklet at 48 kHz. */
const BLOCK = 64;
const BLOCK_MS = BLOCK / SAMPLES_PER_MS;

/** Mulberry32: the same numbers each time. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * The frames of a call: when each comes, of which reply. The server sends a reply at the pace of
 * speech, `leadMs` ahead; two frames in a hundred are late, and what is behind them waits, for the
 * frames come through one socket.
 */
function frames({ seed, minutes, leadMs, latest, frameMs = 40, drift = 0 }) {
  const next = random(seed);
  const all = [];
  let at = 100;
  for (let id = 0; at < minutes * 60_000; id += 1) {
    const count = Math.ceil(((3 + 17 * next()) * 1000) / frameMs);
    let before = 0;
    for (let index = 0; index < count; index += 1) {
      const sentAt = at + Math.max(0, index * frameMs - leadMs) * (1 + drift);
      const late = next() < 0.02 ? next() * latest : next() * 5;
      before = Math.max(before, sentAt + 20 + late);
      all.push({ at: before, id, index, isLast: index === count - 1 });
    }
    at += count * frameMs + 200 + 2000 * next();
  }
  return all;
}

/** Plays a call. What comes out is checked to be what went in, sample by sample. */
function played(all, { frameMs = 40, buffer = new JitterBuffer() } = {}) {
  const out = new Float32Array(BLOCK);
  const size = frameMs * SAMPLES_PER_MS;
  const results = { buffer, gaps: 0, pulled: 0, delays: [], targets: [] };
  let next = 0;
  let expected = 0;
  let began = 0;
  let isWaiting = false;
  for (let now = 0; next < all.length || !buffer.isDrained; now += BLOCK_MS) {
    while (next < all.length && all[next].at <= now) {
      const { id, index, isLast } = all[next];
      if (index === 0) [began, isWaiting] = [now, true];
      const first = results.pushed ?? 0;
      buffer.push(Float32Array.from({ length: size }, (_, n) => ((first + n) % 8191) + 1), id);
      results.pushed = first + size;
      if (isLast) buffer.end(id);
      next += 1;
    }
    const taken = buffer.pull(out, BLOCK);
    if (taken > 0 && isWaiting) {
      results.delays.push(now - began);
      results.targets.push(buffer.targetMs);
      isWaiting = false;
    }
    for (let index = 0; index < taken; index += 1, expected += 1) {
      assert.equal(out[index], (expected % 8191) + 1);
    }
  }
  assert.equal(expected, results.pushed);
  return results;
}

for (const seed of [1, 2, 3]) {
  test(`ten minutes with two late frames in a hundred have no gap (seed ${seed})`, () => {
    const all = frames({ seed, minutes: 10, leadMs: 200, latest: 150, drift: 1e-4 });
    const { buffer, delays } = played(all);
    assert.equal(buffer.underruns, 0);
    // The server's lead costs no time: a reply begins with the next frames, unless they are late.
    delays.sort((a, b) => a - b);
    assert.ok(delays[delays.length >> 1] < 30, `${delays[delays.length >> 1]} ms`);
  });

  test(`nor have they from a server that sends in real time (seed ${seed})`, () => {
    const all = frames({ seed, minutes: 10, leadMs: 0, latest: 80, drift: 5e-5 });
    const { buffer, delays } = played(all);
    assert.equal(buffer.underruns, 0);
    assert.ok(Math.max(...delays) <= 125);
  });
}

for (const frameMs of [20, 50]) {
  test(`ten minutes in frames of ${frameMs} ms have no gap`, () => {
    const all = frames({ seed: 4, minutes: 10, leadMs: 200, latest: 100, frameMs });
    assert.equal(played(all, { frameMs }).buffer.underruns, 0);
  });
}

test("a line that is worse than expected is learnt", () => {
  const all = frames({ seed: 7, minutes: 10, leadMs: 0, latest: 220 });
  const early = played(all.filter(({ at }) => at < 120_000));
  const late = played(all);
  assert.ok(early.buffer.underruns > 0);
  // Of a gap a second that nobody foresaw there is hardly one a minute in the end.
  assert.ok(late.buffer.underruns - early.buffer.underruns < 8);
  assert.ok(late.buffer.targetMs > 150);
});

test("and one that gets better, too", () => {
  const worse = played(frames({ seed: 3, minutes: 2, leadMs: 0, latest: 300 }));
  const before = worse.buffer.targetMs;
  const better = frames({ seed: 4, minutes: 20, leadMs: 0, latest: 10 });
  const buffer = new JitterBuffer();
  const shifted = better.map((frame) => ({ ...frame, id: frame.id + 1000 }));
  assert.ok(before > 200);
  played(shifted, { buffer });
  assert.ok(buffer.targetMs < before / 2 + 20);
});

const sound = (ms, value = 0.5) => new Float32Array(ms * SAMPLES_PER_MS).fill(value);

/** Pulls so many milliseconds, as one array. */
function pull(buffer, ms) {
  const out = new Float32Array(Math.round(ms * SAMPLES_PER_MS));
  const block = new Float32Array(BLOCK);
  for (let at = 0; at < out.length; at += BLOCK) {
    buffer.pull(block, Math.min(BLOCK, out.length - at));
    out.set(block.subarray(0, Math.min(BLOCK, out.length - at)), at);
  }
  return out;
}

test("a reply shorter than the wait is played all the same", () => {
  const buffer = new JitterBuffer();
  buffer.push(sound(20), 1);
  const out = pull(buffer, 300);
  assert.equal(out.filter(Boolean).length, 20 * SAMPLES_PER_MS);
  assert.equal(out.findIndex(Boolean) / SAMPLES_PER_MS >= 90, true);
});

test("and at once when its end is known", () => {
  const buffer = new JitterBuffer();
  buffer.push(sound(20), 1);
  buffer.end(1);
  assert.equal(pull(buffer, 30).findIndex(Boolean), 0);
  assert.equal(buffer.isDrained, true);
  assert.equal(buffer.underruns, 0);
});

test("a flush fades in five milliseconds, and nothing follows", () => {
  const buffer = new JitterBuffer();
  buffer.push(sound(5000), 1);
  pull(buffer, 100);
  buffer.flush();
  const out = pull(buffer, 50);
  assert.ok(out.findLastIndex(Boolean) < 5 * SAMPLES_PER_MS);
  for (let index = 1; index < 5 * SAMPLES_PER_MS; index += 1) {
    assert.ok(out[index] <= out[index - 1] && out[index - 1] - out[index] < 0.01);
  }
  assert.deepEqual([buffer.isDrained, buffer.waitingMs, buffer.underruns], [true, 0, 0]);
});

test("what comes after a flush is played, even when it comes while the old sound fades", () => {
  const buffer = new JitterBuffer();
  buffer.push(sound(1000), 1);
  pull(buffer, 10);
  buffer.flush();
  buffer.push(sound(200, 0.25), 2);
  const out = pull(buffer, 400);
  assert.equal(out.filter((sample) => sample === 0.25).length, 200 * SAMPLES_PER_MS);
  assert.deepEqual([buffer.playing, buffer.played], [2, 200 * SAMPLES_PER_MS]);
});

test("two flushes, and one of nothing, are harmless", () => {
  const buffer = new JitterBuffer();
  buffer.flush();
  buffer.push(sound(1000), 1);
  buffer.flush();
  assert.ok(pull(buffer, 300).every((sample) => sample === 0));
  buffer.push(sound(1000), 2);
  pull(buffer, 10);
  buffer.flush();
  buffer.flush();
  assert.ok(pull(buffer, 300).every((sample) => sample === 0));
});

test("it says how much of which reply was played", () => {
  const buffer = new JitterBuffer();
  buffer.push(sound(200), 1);
  buffer.end(1);
  buffer.push(sound(300), 2);
  buffer.end(2);
  pull(buffer, 100);
  assert.deepEqual([buffer.playing, buffer.played / SAMPLES_PER_MS], [1, 100]);
  pull(buffer, 150);
  assert.deepEqual([buffer.playing, buffer.played / SAMPLES_PER_MS], [2, 50]);
  buffer.flush();
  pull(buffer, 100);
  assert.deepEqual([buffer.playing, buffer.played / SAMPLES_PER_MS], [2, 55]);
});

test("a gap in a reply is an underrun, silence between two is none", () => {
  const buffer = new JitterBuffer();
  buffer.push(sound(200), 1);
  pull(buffer, 360);
  buffer.push(sound(200), 1);
  buffer.end(1);
  pull(buffer, 300);
  assert.equal(buffer.underruns, 1);
  buffer.push(sound(200), 2);
  buffer.end(2);
  pull(buffer, 300);
  assert.equal(buffer.underruns, 1);
});

test("a reply whose end nobody tells is over after a while", () => {
  const buffer = new JitterBuffer();
  assert.equal(buffer.isDrained, true);
  buffer.push(sound(200), 1);
  pull(buffer, 310);
  assert.equal(buffer.isDrained, false);
  pull(buffer, 510);
  assert.equal(buffer.isDrained, true);
});

test("a speaker that pauses is waited for no longer afterwards", () => {
  const buffer = new JitterBuffer();
  buffer.push(sound(200), 1);
  pull(buffer, 3000);
  buffer.push(sound(200), 1);
  assert.equal(buffer.targetMs, 100);
});

for (const rate of [16_000, 44_100, 48_000, 96_000]) {
  test(`a loudspeaker at ${rate} Hz gets a reply without a gap, in its time`, () => {
    const playout = new Playout(rate);
    const hz = 440;
    const tone = Float32Array.from({ length: RATE }, (_, n) => 0.5 * Math.sin((2 * Math.PI * hz * n) / RATE));
    playout.buffer.push(tone, 1);
    playout.buffer.end(1);
    const out = new Float32Array(rate * 1.2);
    const block = new Float32Array(128);
    for (let at = 0; at + 128 <= out.length; at += 128) {
      playout.render(block);
      out.set(block, at);
      if (at === 128 * 100) assert.ok(Math.abs(playout.level - 0.5 / Math.SQRT2) < 0.02);
    }
    for (let n = rate / 10; n < rate * 0.9; n += 1) {
      assert.ok(Math.abs(out[n] - 0.5 * Math.sin((2 * Math.PI * hz * n) / rate)) < 1e-3);
    }
    assert.ok(out.subarray(rate * 1.01).every((sample) => sample === 0));
    assert.equal(playout.buffer.underruns, 0);
  });
}
