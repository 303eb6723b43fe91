/** How loud it is, for a meter. */

/** Short enough for a meter to follow syllables, long enough for a whole cycle of a low voice. */
const WINDOW_SECONDS = 0.01;
/** Time in which a level falls to a third after the sound has stopped. */
const FALL_SECONDS = 0.12;

/** The root mean square of the latest sound, 0 to 1: it rises at once and falls gently. */
export class Level {
  #window;
  #squares = 0;
  #count = 0;
  #kept = Math.exp(-WINDOW_SECONDS / FALL_SECONDS);

  /** @param {number} rate samples of a second */
  constructor(rate) {
    this.#window = Math.round(rate * WINDOW_SECONDS);
    this.value = 0;
  }

  /**
   * @param {Float32Array} samples
   * @param {number} [count] So many of them.
   */
  add(samples, count = samples.length) {
    for (let index = 0; index < count; index += 1) {
      const sample = samples[index] ?? 0;
      this.#squares += sample * sample;
      this.#count += 1;
      if (this.#count === this.#window) this.#measure();
    }
  }

  #measure() {
    const now = Math.min(1, Math.sqrt(this.#squares / this.#count));
    const before = this.value * this.#kept;
    // What nobody can see is none. What is no number is none either.
    this.value = Math.max(now || 0, before < 1e-5 ? 0 : before);
    this.#squares = 0;
    this.#count = 0;
  }
}
