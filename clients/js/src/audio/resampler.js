/** One sample rate to another: a polyphase low-pass, exact for ever. */

/**
 * Kaiser's window for 80 dB: nothing above half the lower rate comes through as something else.
 * (Kaiser and Schafer, "On the use of the I0-sinh window for spectrum analysis", 1980.)
 */
const BETA = 7.857;
const ATTENUATION_DB = 80;
/** What is kept, of half the lower rate: 10.2 kHz of 12. Speech has nothing above it. */
const PASSED = 0.85;

/**
 * A stream of samples from a rate to another. Output `n` lies at the time `n * from / to` of the
 * input; it is known half a filter later (1.5 ms). Positions are whole numbers, so there is no
 * drift; nothing is allocated once a block was seen of the largest size.
 */
export class Resampler {
  #up;
  #down;
  #taps;
  #table;
  #kept;
  #filled;
  /** Of the next output: where its filter begins in `#kept`, and between two samples, how far. */
  #start = 0;
  #phase = 0;

  /**
   * @param {number} from samples of a second, whole
   * @param {number} to
   */
  constructor(from, to) {
    const both = greatestCommonDivisor(from, to);
    this.#up = to / both;
    this.#down = from / both;
    const lower = Math.min(from, to) / 2;
    const transition = ((1 - PASSED) * lower) / from;
    const half = Math.ceil((ATTENUATION_DB - 8) / (2.285 * 2 * Math.PI * transition) / 2);
    this.#taps = from === to ? 1 : 2 * half;
    this.#table = filters(this.#taps, this.#up, (((1 + PASSED) / 2) * lower) / from);
    // Before the beginning there was silence.
    this.#filled = this.#taps === 1 ? 0 : half - 1;
    this.#kept = new Float32Array(this.#filled + 1024);
  }

  /**
   * The samples of input that are still missing for `count` more outputs.
   *
   * @param {number} count
   */
  missing(count) {
    if (count < 1) return 0;
    const ahead = Math.floor((this.#phase + (count - 1) * this.#down) / this.#up);
    return Math.max(0, this.#start + ahead + this.#taps - this.#filled);
  }

  /**
   * The most outputs that an input of so many samples can give.
   *
   * @param {number} count
   */
  most(count) {
    return Math.ceil(((count + this.#filled) * this.#up) / this.#down) + 1;
  }

  /**
   * Takes `count` samples of `input` and writes what is known by now to `output`; what has no
   * room there comes the next time. Returns how many samples it wrote.
   *
   * @param {Float32Array} input
   * @param {number} count
   * @param {Float32Array} output
   */
  process(input, count, output) {
    this.#append(input, count);
    const kept = this.#kept;
    const table = this.#table;
    const taps = this.#taps;
    let written = 0;
    while (written < output.length && this.#start + taps <= this.#filled) {
      let sum = 0;
      const filter = this.#phase * taps;
      for (let tap = 0; tap < taps; tap += 1) {
        sum += /** @type {number} */ (kept[this.#start + tap])
          * /** @type {number} */ (table[filter + tap]);
      }
      output[written] = sum;
      written += 1;
      this.#phase += this.#down;
      const whole = Math.floor(this.#phase / this.#up);
      this.#start += whole;
      this.#phase -= whole * this.#up;
    }
    this.#forget();
    return written;
  }

  /**
   * @param {Float32Array} input
   * @param {number} count
   */
  #append(input, count) {
    const wanted = this.#filled + count;
    if (wanted > this.#kept.length) {
      const grown = new Float32Array(wanted * 2);
      grown.set(this.#kept.subarray(0, this.#filled));
      this.#kept = grown;
    }
    for (let index = 0; index < count; index += 1) {
      this.#kept[this.#filled + index] = input[index] ?? 0;
    }
    this.#filled = wanted;
  }

  #forget() {
    const past = Math.min(this.#start, this.#filled);
    this.#kept.copyWithin(0, past, this.#filled);
    this.#filled -= past;
    this.#start -= past;
  }
}

/**
 * A filter of `taps` for each of `up` places between two samples, one after the other.
 *
 * @param {number} taps
 * @param {number} up
 * @param {number} cutoff of the input's rate
 */
function filters(taps, up, cutoff) {
  const table = new Float32Array(taps * up);
  if (taps === 1) return table.fill(1);
  const half = taps / 2;
  const scale = bessel(BETA);
  for (let phase = 0; phase < up; phase += 1) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      const at = tap - (half - 1) - phase / up;
      const part = at / half;
      const window = Math.abs(part) >= 1 ? 0 : bessel(BETA * Math.sqrt(1 - part * part)) / scale;
      const value = window * sinc(2 * cutoff * at);
      table[phase * taps + tap] = value;
      sum += value;
    }
    // A steady level stays what it is, at each of the places.
    for (let tap = 0; tap < taps; tap += 1) {
      const index = phase * taps + tap;
      table[index] = /** @type {number} */ (table[index]) / sum;
    }
  }
  return table;
}

/** @param {number} x */
const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/**
 * The modified Bessel function of the first kind, order 0, by its power series.
 *
 * @param {number} x
 */
function bessel(x) {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/**
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
