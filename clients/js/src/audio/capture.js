/** From a microphone of any rate to the frames of the wire. */

import { Level } from "./level.js";
import { RATE, toPcm } from "./pcm.js";
import { Resampler } from "./resampler.js";

/**
 * Makes frames of int16 little-endian mono PCM at 24 kHz.
 *
 * @typedef {(pcm: Uint8Array<ArrayBuffer>, level: number) => void} OnFrame
 */
export class Capture {
  #resampler;
  #level = new Level(RATE);
  #frame;
  #filled = 0;
  #onFrame;
  #mono = new Float32Array(128);
  #made = new Float32Array(128);

  /**
   * @param {number} rate the microphone's: samples of a second
   * @param {number} frameMs
   * @param {OnFrame} onFrame
   */
  constructor(rate, frameMs, onFrame) {
    this.#resampler = new Resampler(rate, RATE);
    this.#frame = new Float32Array(Math.round((frameMs * RATE) / 1000));
    this.#onFrame = onFrame;
  }

  /**
   * Takes a block of each channel; of none, it is silence.
   *
   * @param {readonly Float32Array[]} channels
   * @param {number} count samples of a channel
   */
  take(channels, count) {
    if (count > this.#mono.length) this.#mono = new Float32Array(count);
    this.#mix(channels, count);
    const most = this.#resampler.most(count);
    if (most > this.#made.length) this.#made = new Float32Array(most * 2);
    const made = this.#resampler.process(this.#mono, count, this.#made);
    this.#level.add(this.#made, made);
    for (let index = 0; index < made; index += 1) this.#put(this.#made[index] ?? 0);
  }

  /**
   * @param {readonly Float32Array[]} channels
   * @param {number} count
   */
  #mix(channels, count) {
    const mono = this.#mono;
    mono.fill(0, 0, count);
    for (let which = 0; which < channels.length; which += 1) {
      const channel = channels[which] ?? mono;
      for (let index = 0; index < count; index += 1) {
        mono[index] = (mono[index] ?? 0) + (channel[index] ?? 0) / channels.length;
      }
    }
  }

  /** @param {number} sample */
  #put(sample) {
    this.#frame[this.#filled] = sample;
    this.#filled += 1;
    if (this.#filled < this.#frame.length) return;
    this.#filled = 0;
    this.#onFrame(toPcm(this.#frame), this.#level.value);
  }
}
