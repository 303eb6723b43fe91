/** Sound that comes when it comes, played as if it came evenly. */

import { RATE } from "./pcm.js";
import { Ring } from "./ring.js";

/** How long a reply's first sound waits, at first and at least; late frames make it longer. */
const LEAST_MS = 100;
const MOST_MS = 400;
/** Beside the latest frame that was seen. */
const MARGIN_MS = 20;
/** After a gap in a reply it is as late as the latest frame already: only the margin is missing. */
const AGAIN_MS = 40;
/** What is kept of a lateness from one reply to the next, when the line gets better. */
const FORGETTING = 0.98;
/** Short enough for nobody to wait, long enough not to click. */
const FADE_MS = 5;
/** Without a word about the end of a reply, so much silence is taken for it. */
const OVER_MS = 500;

const inSamples = (/** @type {number} */ ms) => Math.round((ms * RATE) / 1000);

/**
 * The sound of replies, one after the other, in samples at 24 kHz. Time is what was pulled, so it
 * needs no clock.
 *
 * A reply begins when its first frame has waited as long as frames are expected to be late
 * (`targetMs`). What the server sends ahead of time counts as waited: then there is no delay, and
 * one of the target only where it sends in real time.
 */
export class JitterBuffer {
  #ring = new Ring();
  /** @type {"empty" | "filling" | "playing"} */
  #state = "empty";
  /** Samples pulled, ever. */
  #now = 0;
  #target = inSamples(LEAST_MS);
  /** @type {Segment[]} of the ring, in order */
  #segments = [];
  /** The reply that comes in: when it began, how much came, how late at worst, how early at best. */
  #reply = { id: -1, began: 0, pushed: 0, latest: 0, earliest: 0, isOver: true };
  #waitingSince = 0;
  #emptySince = 0;
  #isStarved = false;
  #fade = inSamples(FADE_MS);
  #fading = 0;

  /** How often there was nothing to play in the middle of a reply. */
  underruns = 0;
  /** The reply whose sound was pulled last, and how many samples of it were, in all. */
  playing = -1;
  played = 0;

  get state() {
    return this.#state;
  }

  /** How long a first frame waits now. */
  get targetMs() {
    return (this.#target / RATE) * 1000;
  }

  /** What waits to be played. */
  get waitingMs() {
    return (this.#ring.length / RATE) * 1000;
  }

  /** Whether all is played, and nothing more of it is expected. */
  get isDrained() {
    if (this.#state !== "empty" || this.#ring.length > 0) return false;
    return this.#reply.isOver || this.#now - this.#emptySince >= inSamples(OVER_MS);
  }

  /**
   * Takes the next samples of a reply; `id` is any number.
   *
   * @param {Float32Array} samples
   * @param {number} id
   */
  push(samples, id) {
    if (samples.length === 0) return;
    if (id !== this.#reply.id) this.#begin(id);
    this.#reply.isOver = false;
    this.#measure();
    this.#reply.pushed += samples.length;
    const last = this.#segments.at(-1);
    const kept = this.#ring.push(samples);
    if (last?.id === id) last.left += kept;
    else this.#segments.push({ id, left: kept });
    if (this.#state === "empty") this.#fill(id);
  }

  /**
   * Nothing more comes of a reply: what is there need not wait for it.
   *
   * @param {number} id
   */
  end(id) {
    if (id === this.#reply.id) this.#reply.isOver = true;
  }

  /**
   * Writes the next `count` samples to `out`, silence where there are none. Returns how many are
   * sound.
   *
   * @param {Float32Array} out
   * @param {number} count
   */
  pull(out, count) {
    if (this.#state === "filling" && this.#isReady()) this.#state = "playing";
    let taken = 0;
    if (this.#fading > 0) taken = this.#pullFading(out, count);
    else if (this.#state === "playing") taken = this.#pullPlain(out, count);
    out.fill(0, taken, count);
    this.#now += count;
    return taken;
  }

  /**
   * Forgets what was not played, but for a few milliseconds in which it fades.
   *
   * @returns {void}
   */
  flush() {
    const isSounding = this.#state === "playing" && this.#ring.length > 0;
    if (!isSounding || this.#fading > 0) return this.#forget();
    const tail = new Float32Array(this.#fade);
    const left = this.#segments[0];
    this.#fading = this.#ring.pull(tail, 0, this.#fade);
    this.#ring.clear();
    this.#ring.push(tail.subarray(0, this.#fading));
    this.#segments = left ? [{ id: left.id, left: this.#fading }] : [];
    this.#reply.isOver = true;
    this.#isStarved = false;
  }

  // --- what comes ----------------------------------------------------------------------------

  /** @param {number} id */
  #begin(id) {
    if (this.#reply.id >= 0) {
      const calmer = Math.max(this.#reply.latest + inSamples(MARGIN_MS), this.#target * FORGETTING);
      this.#aim(calmer);
    }
    this.#reply = { id, began: this.#now, pushed: 0, latest: 0, earliest: 0, isOver: false };
    this.#isStarved = false;
  }

  /** How late is what comes now, had it come evenly from the first on? */
  #measure() {
    const late = this.#now - this.#reply.began - this.#reply.pushed;
    // Nobody waits that long for a frame: the speaker paused, and begins anew.
    if (late > inSamples(MOST_MS)) {
      this.#reply.began = this.#now - this.#reply.pushed;
      return;
    }
    this.#reply.earliest = Math.max(this.#reply.earliest, -late);
    if (late <= this.#reply.latest) return;
    this.#reply.latest = late;
    this.#aim(Math.max(this.#target, late + inSamples(MARGIN_MS)));
  }

  /** @param {number} samples */
  #aim(samples) {
    this.#target = Math.min(inSamples(MOST_MS), Math.max(inSamples(LEAST_MS), samples));
  }

  /** @param {number} id */
  #fill(id) {
    if (this.#isStarved && id === this.playing) this.underruns += 1;
    this.#state = "filling";
    this.#waitingSince = this.#now;
  }

  #isReady() {
    if (this.#reply.isOver) return true;
    const waited = this.#now - this.#waitingSince;
    if (!this.#isStarved) return waited + this.#reply.earliest >= this.#target;
    const wanted = inSamples(AGAIN_MS);
    return this.#ring.length >= wanted || waited >= wanted;
  }

  // --- what goes -----------------------------------------------------------------------------

  /**
   * @param {Float32Array} out
   * @param {number} count
   */
  #pullPlain(out, count) {
    const taken = this.#ring.pull(out, 0, count);
    this.#account(taken);
    if (this.#ring.length === 0) this.#runDry();
    return taken;
  }

  /**
   * @param {Float32Array} out
   * @param {number} count
   */
  #pullFading(out, count) {
    const taken = this.#ring.pull(out, 0, Math.min(count, this.#fading));
    for (let index = 0; index < taken; index += 1) {
      out[index] = (out[index] ?? 0) * ((this.#fading - index) / (this.#fade + 1));
    }
    this.#account(taken);
    this.#fading -= taken;
    // Meanwhile the next reply may have begun to come.
    if (this.#fading === 0 && this.#ring.length === 0) this.#forget();
    else if (this.#fading === 0) this.#fill(this.#reply.id);
    return taken;
  }

  /** @param {number} count */
  #account(count) {
    let left = count;
    while (left > 0) {
      const segment = this.#segments[0];
      if (!segment) return;
      if (segment.id !== this.playing) {
        this.playing = segment.id;
        this.played = 0;
      }
      const part = Math.min(left, segment.left);
      segment.left -= part;
      this.played += part;
      left -= part;
      if (segment.left === 0) this.#segments.shift();
    }
  }

  #runDry() {
    this.#state = "empty";
    this.#isStarved = !this.#reply.isOver;
    this.#emptySince = this.#now;
  }

  #forget() {
    this.#ring.clear();
    this.#segments = [];
    this.#fading = 0;
    this.#state = "empty";
    this.#isStarved = false;
    this.#reply.isOver = true;
    this.#emptySince = this.#now;
  }
}

/** @typedef {{ id: number, left: number }} Segment samples of one reply */
