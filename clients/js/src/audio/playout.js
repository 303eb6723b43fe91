/** From a jitter buffer to a loudspeaker of any rate. */

import { JitterBuffer } from "./jitter_buffer.js";
import { Level } from "./level.js";
import { RATE } from "./pcm.js";
import { Resampler } from "./resampler.js";

/** Fills a loudspeaker's blocks; nothing is allocated once it has seen the largest. */
export class Playout {
  #resampler;
  #level;
  #input = new Float32Array(1024);

  /** @param {number} rate the loudspeaker's: samples of a second */
  constructor(rate) {
    this.#resampler = new Resampler(RATE, rate);
    this.#level = new Level(rate);
    this.buffer = new JitterBuffer();
  }

  /** Loudness of what was played, 0 to 1. */
  get level() {
    return this.#level.value;
  }

  /**
   * Fills a block.
   *
   * @param {Float32Array} block
   */
  render(block) {
    const wanted = this.#resampler.missing(block.length);
    if (wanted > this.#input.length) this.#input = new Float32Array(wanted * 2);
    this.buffer.pull(this.#input, wanted);
    this.#resampler.process(this.#input, wanted, block);
    this.#level.add(block);
  }
}
