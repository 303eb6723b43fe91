/** The browser's AudioContext: who closes it, and how it is woken. */

import { AntiphonError, described } from "./errors.js";

/** A browser that lets a page make sound says so at once. */
const BLOCKED_AFTER_MS = 250;
const GESTURES = ["pointerdown", "keydown", "touchend"];

/** A context of our own, or somebody's. */
export class SoundContext {
  #isOurs;
  #isOpen = true;
  #isBlocked = false;
  #onChange;
  #wake = () => void this.#resume();
  #see = () => this.#look();

  /**
   * Call it in a click, before anything is awaited: only then may every browser make sound.
   * Throws an `AntiphonError` of code `no_sound`.
   *
   * @param {AudioContext} [given] It is not closed.
   * @param {(isBlocked: boolean) => void} [onChange]
   */
  constructor(given, onChange = () => {}) {
    this.#isOurs = given === undefined;
    this.#onChange = onChange;
    this.context = given ?? create();
    this.context.addEventListener("statechange", this.#see);
    // In the background some systems take the loudspeaker away, and do not give it back.
    document.addEventListener("visibilitychange", this.#wake);
    this.#wake();
  }

  /** Whether the browser wants a click before there is sound. */
  get isBlocked() {
    return this.#isBlocked;
  }

  /**
   * Loads an AudioWorklet. Throws an `AntiphonError`.
   *
   * @param {string | URL} url
   * @param {string} code of the error
   */
  async load(url, code) {
    if (!this.context.audioWorklet) {
      throw new AntiphonError(code, "a page may use sound only over https or on localhost");
    }
    try {
      await this.context.audioWorklet.addModule(url);
    } catch (cause) {
      const message = `the audio worklet cannot be loaded from ${url}: ${described(cause)}`;
      throw new AntiphonError(code, message, { cause });
    }
  }

  /** Resolves when the context runs, or it is clear that it is blocked. */
  async settled() {
    const deadline = performance.now() + BLOCKED_AFTER_MS;
    while (this.#isOpen && this.context.state !== "running" && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.#look();
  }

  async close() {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.context.removeEventListener("statechange", this.#see);
    document.removeEventListener("visibilitychange", this.#wake);
    this.#listen(false);
    if (this.#isOurs && this.context.state !== "closed") await this.context.close();
  }

  async #resume() {
    const { context } = this;
    if (!this.#isOpen || document.hidden || context.state === "closed") return;
    // Where it may not run it stays suspended, without an answer or with a refusal.
    if (context.state !== "running") await context.resume().catch(() => {});
  }

  #look() {
    const isBlocked = this.#isOpen && !["running", "closed"].includes(this.context.state);
    if (isBlocked === this.#isBlocked) return;
    this.#isBlocked = isBlocked;
    this.#listen(isBlocked);
    this.#onChange(isBlocked);
  }

  /** @param {boolean} isWanted */
  #listen(isWanted) {
    for (const gesture of GESTURES) {
      if (isWanted) document.addEventListener(gesture, this.#wake, { capture: true });
      else document.removeEventListener(gesture, this.#wake, { capture: true });
    }
  }
}

function create() {
  try {
    return new AudioContext({ latencyHint: "interactive" });
  } catch (cause) {
    const message = `this browser gives no loudspeaker: ${described(cause)}`;
    throw new AntiphonError("no_sound", message, { cause });
  }
}
