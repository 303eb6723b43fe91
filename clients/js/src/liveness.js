/**
 * Notices a line that went dead without a word. A page cannot send pings; instead a server that
 * was silent for long is sent an update that changes nothing, which it answers.
 */

/**
 * @typedef {object} LivenessOptions
 * @property {number} periodMs Silence after which to ask, and time for the answer; 0: never.
 * @property {() => void} ask
 * @property {() => void} lost
 */

/** A network that came, went or changed may have cut the line: ask at once. */
const SUSPICIOUS = ["online", "offline"];

export class Liveness {
  #options;
  #heardAt = 0;
  #hasAsked = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {LivenessOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** The line is up. */
  start() {
    this.stop();
    if (this.#options.periodMs <= 0) return;
    this.heard();
    this.#wait(this.#options.periodMs);
    for (const event of SUSPICIOUS) globalThis.addEventListener?.(event, this.#suspect);
  }

  /** Something came over it. */
  heard() {
    this.#heardAt = performance.now();
    this.#hasAsked = false;
  }

  /** The line is down, or nobody minds. */
  stop() {
    clearTimeout(this.#timer);
    for (const event of SUSPICIOUS) globalThis.removeEventListener?.(event, this.#suspect);
  }

  #suspect = () => {
    if (this.#hasAsked) return;
    this.#ask(this.#options.periodMs / 4);
  };

  #look() {
    const left = this.#heardAt + this.#options.periodMs - performance.now();
    if (this.#hasAsked) this.#options.lost();
    else if (left > 0) this.#wait(left);
    else this.#ask(this.#options.periodMs);
  }

  /** @param {number} ms For the answer. */
  #ask(ms) {
    this.#hasAsked = true;
    this.#wait(ms);
    this.#options.ask();
  }

  /** @param {number} ms */
  #wait(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), ms);
  }
}
