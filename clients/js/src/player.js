/** The agent's sound, without gaps, at a browser's loudspeaker. */

/** @import { PlayerOptions } from "../types/index.js" */
/** @import { Order, Report } from "./worklets/player.js" */

import { SoundContext } from "./sound_context.js";

/** Replies whose position is remembered. */
const REMEMBERED = 200;

/**
 * Plays int16 little-endian mono PCM at 24 kHz, at whatever rate the loudspeaker has.
 *
 * Events: "started" (`detail`: the id of the reply) with the first sound of a reply, "drained"
 * when everything was played, "underrun" where sound came too late, and "blocked" and "unblocked"
 * where the browser wants a click before it makes sound; any click on the page will do.
 */
export class Player extends EventTarget {
  #sound;
  /** @type {AudioWorkletNode | null} */
  #node = null;
  /** @type {string[]} by the number that the worklet knows them by, from `#forgotten` on */
  #replies = [];
  #forgotten = 0;
  /** @type {Map<string, { playedMs: number, at: number }>} */
  #positions = new Map();
  #level = 0;
  #underruns = 0;
  #targetMs = 0;
  #waitingMs = 0;
  #sounding = -1;
  #isDrained = true;
  /** Orders given; a report says how many of them it knows of. */
  #orders = 0;
  #isOpen = true;

  /**
   * Use `open`.
   *
   * @param {PlayerOptions} options
   */
  constructor(options) {
    super();
    this.#sound = new SoundContext(options.context, (isBlocked) => {
      this.dispatchEvent(new Event(isBlocked ? "blocked" : "unblocked"));
    });
  }

  /**
   * Call it in a click. Rejects with an `AntiphonError` of code `no_sound`.
   *
   * @param {PlayerOptions} [options]
   */
  static async open(options = {}) {
    const player = new Player(options);
    try {
      await player.#start(options.workletUrl ?? new URL("./worklets/player.js", import.meta.url));
    } catch (error) {
      await player.close();
      throw error;
    }
    return player;
  }

  /** Loudness of what is played, 0 to 1: rises at once, falls gently. */
  get level() {
    return this.#level;
  }

  /** How often there was nothing to play in the middle of a reply. */
  get underruns() {
    return this.#underruns;
  }

  /** How long the first sound of a reply waits for the next: as long as sound comes late. */
  get targetMs() {
    return this.#targetMs;
  }

  /** What is there and not played yet. */
  get waitingMs() {
    return this.#waitingMs;
  }

  /** Whether everything was played. */
  get isDrained() {
    return this.#isDrained;
  }

  /** Whether the browser wants a click before it makes sound. */
  get isBlocked() {
    return this.#sound.isBlocked;
  }

  /** The context that it lives in. */
  get context() {
    return this.#sound.context;
  }

  /** Where the sound comes out, to connect a meter or a recorder to. */
  get node() {
    return this.#node;
  }

  /**
   * Plays a piece of a reply after what is there.
   *
   * @param {Uint8Array} pcm
   * @param {string} replyId
   */
  play(pcm, replyId) {
    if (pcm.length < 2 || !this.#node) return;
    const { buffer } = pcm.slice();
    this.#isDrained = false;
    this.#tell({ do: "play", pcm: buffer, id: this.#number(replyId) }, [buffer]);
  }

  /**
   * Says that nothing more comes of a reply: a short one starts at once, and silence after it is
   * no underrun.
   *
   * @param {string} replyId
   */
  end(replyId) {
    this.#tell({ do: "end", id: this.#number(replyId) });
  }

  /** Falls silent at once and forgets what was to be played. */
  flush() {
    this.#tell({ do: "flush" });
  }

  /**
   * Milliseconds of a reply that were heard: the way to the loudspeaker is taken off.
   *
   * @param {string} replyId
   */
  playedMs(replyId) {
    const position = this.#positions.get(replyId);
    if (!position) return 0;
    const { currentTime, baseLatency = 0, outputLatency = 0 } = this.#sound.context;
    const onItsWay = Math.max(0, position.at + baseLatency + outputLatency - currentTime);
    return Math.max(0, position.playedMs - onItsWay * 1000);
  }

  /** Falls silent, and leaves nothing behind. */
  async close() {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#tell({ do: "close" });
    if (this.#node) this.#node.port.onmessage = null;
    this.#node?.port.close();
    this.#node?.disconnect();
    this.#node = null;
    this.#level = 0;
    this.#isDrained = true;
    await this.#sound.close();
  }

  /** @param {string | URL} url */
  async #start(url) {
    await this.#sound.load(url, "no_sound");
    if (!this.#isOpen) return;
    this.#node = new AudioWorkletNode(this.#sound.context, "antiphon-player", {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    this.#node.port.onmessage = ({ data }) => this.#note(data);
    this.#node.connect(this.#sound.context.destination);
    await this.#sound.settled();
  }

  /**
   * @param {Order} order
   * @param {Transferable[]} [moved]
   */
  #tell(order, moved = []) {
    this.#orders += 1;
    this.#node?.port.postMessage(order, moved);
  }

  /**
   * The worklet knows replies by number.
   *
   * @param {string} replyId
   */
  #number(replyId) {
    const known = this.#replies.lastIndexOf(replyId);
    if (known >= 0) return this.#forgotten + known;
    this.#replies.push(replyId);
    if (this.#replies.length > REMEMBERED) {
      this.#positions.delete(this.#replies.shift() ?? "");
      this.#forgotten += 1;
    }
    return this.#forgotten + this.#replies.length - 1;
  }

  /** @param {Report} report */
  #note(report) {
    const replyId = this.#replies[report.id - this.#forgotten];
    this.#level = report.level;
    this.#targetMs = report.targetMs;
    this.#waitingMs = report.waitingMs;
    if (replyId !== undefined) {
      this.#place(replyId, report);
      if (report.id !== this.#sounding) {
        this.#sounding = report.id;
        this.dispatchEvent(new CustomEvent("started", { detail: replyId }));
      }
    }
    if (report.underruns > this.#underruns) {
      this.#underruns = report.underruns;
      this.dispatchEvent(new Event("underrun"));
    }
    this.#drain(report);
  }

  /**
   * @param {string} replyId
   * @param {Report} report
   */
  #place(replyId, { playedMs, at }) {
    // Silence after a reply is no news about it.
    if (this.#positions.get(replyId)?.playedMs === playedMs) return;
    this.#positions.set(replyId, { playedMs, at });
  }

  /** @param {Report} report */
  #drain({ isDrained, orders }) {
    // A report from before the latest order says nothing about it.
    if (!isDrained || orders < this.#orders || this.#isDrained) return;
    this.#isDrained = true;
    this.dispatchEvent(new Event("drained"));
  }
}
