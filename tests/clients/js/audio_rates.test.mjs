/** Samples: their bytes, their rates, their loudness, and the frames of a microphone. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Capture } from "../../../clients/js/src/audio/capture.js";
import { Level } from "../../../clients/js/src/audio/level.js";
import { fromPcm, RATE, toPcm } from "../../../clients/js/src/audio/pcm.js";
import { Resampler } from "../../../clients/js/src/audio/resampler.js";
import { Ring } from "../../../clients/js/src/audio/ring.js";

const RATES = [8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000];
const BLOCK = 128;

const tone = (hz, rate, seconds) =>
  Float32Array.from({ length: rate * seconds }, (_, n) => 0.5 * Math.sin((2 * Math.PI * hz * n) / rate));

/** All of a signal, in the blocks of an AudioWorklet. */
function resampled(input, from, to) {
  const resampler = new Resampler(from, to);
  const made = [];
  for (let start = 0; start < input.length; start += BLOCK) {
    const block = input.subarray(start, start + BLOCK);
    const output = new Float32Array(resampler.most(block.length));
    made.push(...output.subarray(0, resampler.process(block, block.length, output)));
  }
  return Float32Array.from(made);
}

const rms = (samples) => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
const decibels = (part) => 20 * Math.log10(part);
/** Without the first and last moments, in which a filter begins and ends. */
const middle = (samples) => samples.subarray(samples.length >> 2, -(samples.length >> 2));

test("samples become bytes exactly, at the extremes too", () => {
  const samples = Float32Array.of(0, 1, -1, 2, -2, NaN, Infinity, -Infinity, 1 / 32768, -1 / 32768);
  const values = new Int16Array(toPcm(samples).buffer);
  assert.deepEqual(
    [...values],
    [0, 32767, -32768, 32767, -32768, 0, 32767, -32768, 1, -1],
  );
});

test("every sample survives the way to and fro, and lies in little-endian order", () => {
  const all = Int16Array.from({ length: 65_536 }, (_, n) => n - 32_768);
  const bytes = new Uint8Array(all.buffer);
  assert.deepEqual(toPcm(fromPcm(bytes)), bytes);
  assert.deepEqual([...toPcm(Float32Array.of(258 / 32768))], [2, 1]);
});

test("half a sample at the end is left out", () => {
  assert.equal(fromPcm(Uint8Array.of(0, 64, 7)).length, 1);
  assert.equal(fromPcm(new Uint8Array(0)).length, 0);
});

for (const rate of RATES) {
  test(`what is spoken passes from ${rate} Hz, to a tenth of a decibel`, () => {
    const top = Math.min(10_000, rate * 0.42);
    for (const hz of [50, 300, 1000, 3000, top]) {
      const made = middle(resampled(tone(hz, rate, 0.5), rate, RATE));
      const ripple = decibels(rms(made) / (0.5 / Math.SQRT2));
      assert.ok(Math.abs(ripple) < 0.1, `${hz} Hz: ${ripple} dB`);
    }
  });

  test(`and to ${rate} Hz, in its place`, () => {
    const hz = 440;
    const made = resampled(tone(hz, RATE, 0.5), RATE, rate);
    const wanted = tone(hz, rate, 0.5);
    const wrong = middle(made.map((sample, index) => sample - wanted[index]));
    assert.ok(decibels(rms(wrong) / rms(middle(wanted))) < -60);
  });
}

for (const rate of RATES.filter((one) => one > RATE)) {
  test(`what is too high at ${rate} Hz does not come back as something else`, () => {
    for (const hz of [12_100, 13_000, 15_000, 18_000, 21_000, rate * 0.49].filter((hz) => hz < rate / 2)) {
      const left = decibels(rms(middle(resampled(tone(hz, rate, 0.5), rate, RATE))) / (0.5 / Math.SQRT2));
      assert.ok(left < -60, `${hz} Hz: ${left} dB`);
    }
  });
}

for (const rate of RATES.filter((one) => one < RATE)) {
  test(`no mirrored sound is added to that of ${rate} Hz`, () => {
    const hz = rate * 0.3;
    const made = middle(resampled(tone(hz, rate, 0.5), rate, RATE));
    const from = made.length / RATE;
    // The part of the sound at the mirrored frequency.
    let re = 0;
    let im = 0;
    for (let n = 0; n < made.length; n += 1) {
      const window = Math.sin((Math.PI * n) / made.length) ** 2;
      re += window * made[n] * Math.cos((2 * Math.PI * (rate - hz) * n) / RATE);
      im += window * made[n] * Math.sin((2 * Math.PI * (rate - hz) * n) / RATE);
    }
    assert.ok(decibels((Math.hypot(re, im) * 4) / (made.length * 0.5)) < -60, `${from} s`);
  });
}

test("after an hour no sample is missing or too many", () => {
  for (const rate of [44_100, 48_000, 11_025]) {
    const resampler = new Resampler(rate, RATE);
    // A second at a time: the arithmetic is the same, and it is counted.
    const input = new Float32Array(rate / 25);
    const output = new Float32Array(resampler.most(input.length) + 100);
    let made = 0;
    for (let times = 0; times < 25 * 60; times += 1) {
      made += resampler.process(input, input.length, output);
    }
    // Sixty minutes are sixty such minutes: positions are whole numbers and repeat each second.
    assert.ok(Math.abs(made - RATE * 60) <= RATE * 0.01, `${rate}: ${made}`);
    const before = made;
    for (let times = 0; times < 25 * 60; times += 1) {
      made += resampler.process(input, input.length, output);
    }
    assert.equal(made - before, RATE * 60);
  }
});

test("blocks of any size make the same sound", () => {
  const input = tone(700, 44_100, 0.2);
  const whole = resampled(input, 44_100, RATE);
  const resampler = new Resampler(44_100, RATE);
  const made = [];
  for (let start = 0, size = 1; start < input.length; start += size, size = (size * 7) % 501 || 1) {
    const block = input.subarray(start, start + size);
    const output = new Float32Array(resampler.most(block.length));
    made.push(...output.subarray(0, resampler.process(block, block.length, output)));
  }
  assert.deepEqual(Float32Array.from(made), whole.subarray(0, made.length));
  assert.ok(made.length >= whole.length - 1);
});

test("it says how much input an output needs, and gives no more than there is room for", () => {
  for (const rate of RATES) {
    const resampler = new Resampler(RATE, rate);
    const output = new Float32Array(BLOCK);
    for (let times = 0; times < 500; times += 1) {
      const missing = resampler.missing(BLOCK);
      assert.equal(resampler.process(new Float32Array(missing), missing, output), BLOCK);
    }
  }
});

test("a microphone of any rate and number of channels gives even frames", () => {
  for (const rate of RATES) {
    const frames = [];
    const capture = new Capture(rate, 20, (pcm, level) => frames.push([pcm, level]));
    const input = tone(440, rate, 1);
    for (let start = 0; start + BLOCK <= input.length; start += BLOCK) {
      const block = input.subarray(start, start + BLOCK);
      capture.take([block, block], BLOCK);
    }
    assert.ok(frames.length >= 48 && frames.length <= 50, `${rate}: ${frames.length}`);
    assert.ok(frames.every(([pcm]) => pcm.length === 960));
    assert.ok(Math.abs(rms(fromPcm(frames[20][0])) - 0.5 / Math.SQRT2) < 0.02);
    assert.ok(Math.abs(frames[20][1] - 0.5 / Math.SQRT2) < 0.05);
  }
});

test("a microphone without any channel is silence, and takes its time", () => {
  const frames = [];
  const capture = new Capture(48_000, 50, (pcm) => frames.push(pcm));
  for (let times = 0; times < 375; times += 1) capture.take([], BLOCK);
  assert.equal(frames.length, 19);
  assert.ok(frames.every((pcm) => pcm.every((byte) => byte === 0)));
});

test("a level rises at once, falls gently, and is nothing in the end", () => {
  const level = new Level(1000);
  level.add(new Float32Array(10).fill(0.5));
  assert.equal(level.value, 0.5);
  level.add(new Float32Array(120));
  assert.ok(Math.abs(level.value - 0.5 / Math.E) < 1e-6);
  level.add(new Float32Array(3000));
  assert.equal(level.value, 0);
  level.add(new Float32Array(10).fill(NaN));
  assert.equal(level.value, 0);
  level.add(new Float32Array(10).fill(9));
  assert.equal(level.value, 1);
});

test("what waits in a ring comes in order, however much there is", () => {
  const ring = new Ring();
  let into = 0;
  let from = 0;
  const out = new Float32Array(100_000);
  for (let times = 1; times < 200; times += 1) {
    const count = (times * 7919) % 3000;
    assert.equal(ring.push(Float32Array.from({ length: count }, () => into++ % 9973)), count);
    const taken = ring.pull(out, 0, (times * 104_729) % 2500);
    for (let index = 0; index < taken; index += 1) assert.equal(out[index], from++ % 9973);
    assert.equal(ring.length, into - from);
  }
  ring.clear();
  assert.deepEqual([ring.length, ring.pull(out, 0, 10)], [0, 0]);
});

test("a ring has an end", () => {
  const ring = new Ring();
  const minute = new Float32Array(RATE * 60);
  const kept = Array.from({ length: 14 }, () => ring.push(minute));
  assert.ok(kept.slice(0, 11).every((count) => count === minute.length));
  assert.equal(kept.at(-1), 0);
});
