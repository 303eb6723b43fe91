/** Samples that wait, first in, first out. */

/** Samples that there is room for at first, and again after `clear`: 1.4 s at 24 kHz. */
const FIRST = 32_768;
/** More are never kept: 11 min at 24 kHz, in 64 MB. */
const MOST = FIRST * 512;

/** Grows by doubling; nothing is allocated while there is room. */
export class Ring {
  #samples = new Float32Array(FIRST);
  #read = 0;
  #length = 0;

  /** Samples that wait. */
  get length() {
    return this.#length;
  }

  /**
   * Appends samples. Returns how many found room.
   *
   * @param {Float32Array} samples
   */
  push(samples) {
    const count = Math.min(samples.length, MOST - this.#length);
    this.#makeRoom(this.#length + count);
    const size = this.#samples.length;
    const at = (this.#read + this.#length) % size;
    const first = Math.min(count, size - at);
    this.#samples.set(samples.subarray(0, first), at);
    this.#samples.set(samples.subarray(first, count), 0);
    this.#length += count;
    return count;
  }

  /**
   * Moves up to `count` samples into `out`, from `at` on. Returns how many there were.
   *
   * @param {Float32Array} out
   * @param {number} at
   * @param {number} count
   */
  pull(out, at, count) {
    const taken = Math.min(count, this.#length);
    const size = this.#samples.length;
    for (let index = 0; index < taken; index += 1) {
      out[at + index] = this.#samples[(this.#read + index) % size] ?? 0;
    }
    this.#read = (this.#read + taken) % size;
    this.#length -= taken;
    return taken;
  }

  /** Forgets everything. */
  clear() {
    this.#read = 0;
    this.#length = 0;
    if (this.#samples.length > FIRST) this.#samples = new Float32Array(FIRST);
  }

  /** @param {number} wanted samples */
  #makeRoom(wanted) {
    let size = this.#samples.length;
    if (wanted <= size) return;
    while (size < wanted) size *= 2;
    const grown = new Float32Array(size);
    const length = this.#length;
    this.pull(grown, 0, length);
    this.#samples = grown;
    this.#read = 0;
    this.#length = length;
  }
}
