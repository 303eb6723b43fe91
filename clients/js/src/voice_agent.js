/** A conversation by voice in a browser: session, microphone and loudspeaker in one. */

/**
 * @import {
 *   ServerMessage, SessionState, Turn, UnknownMessage, VoiceAgentEventMap, VoiceAgentListener,
 *   VoiceAgentOptions
 * } from "../types/index.js"
 */

import { fromBase64 } from "./base64.js";
import { AntiphonError, asAntiphonError } from "./errors.js";
import { Microphone } from "./microphone.js";
import { Player } from "./player.js";
import { Session } from "./session.js";
import { Transcript } from "./transcript.js";

/** The session's own events; those of the server's messages come with "message". */
const OWN = /** @type {const} */ (["state", "failed", "sent", "dropped", "tool.failed"]);
/** Never forwarded by a message's type, whatever a server sends. */
const RESERVED = new Set([...OWN, "message", "turn", "started", "drained", "blocked", "unblocked"]);
/** After the server's goodbye its last words are still played; that long at most. */
const LAST_WORDS_MS = 10_000;

/**
 * Has the events of its session, those of its player ("started", "drained", "blocked",
 * "unblocked"), and "turn": `detail` is what the user or the agent has said so far in a turn.
 */
export class VoiceAgent extends EventTarget {
  #options;
  #transcript = new Transcript();
  /** @type {Microphone | null} */
  #microphone = null;
  /** @type {Player | null} */
  #player = null;
  #isMuted = false;
  #hasStarted = false;
  #isOver = false;
  /** The reply whose rest nobody wants to hear. @type {string | null} */
  #hushed = null;
  /** @type {Promise<void> | null} */
  #closing = null;

  /**
   * Nothing happens before `start`. Throws as `Session` does.
   *
   * @param {VoiceAgentOptions} [options]
   */
  constructor(options = {}) {
    super();
    const { microphone = {}, player = {}, ...rest } = options;
    this.#options = { microphone, player };
    const encoding = rest.session?.output?.format?.encoding ?? "audio/pcm";
    if (encoding !== "audio/pcm") {
      const message = "a browser plays audio/pcm: leave output.format out";
      throw new AntiphonError("invalid_options", message, { param: "output.format" });
    }
    this.session = new Session(rest);
    this.session.addEventListener("message", ({ detail }) => this.#take(detail));
    for (const type of OWN) {
      this.session.addEventListener(type, ({ detail }) => this.#tell(type, detail));
    }
    this.session.addEventListener("state", ({ detail }) => {
      if (detail === "ended") void this.#finish();
    });
  }

  /** Null where there is none, and before `start`. */
  get microphone() {
    return this.#microphone;
  }

  /** Null before `start`. */
  get player() {
    return this.#player;
  }

  /** @returns {SessionState} */
  get state() {
    return this.session.state;
  }

  /** What was said so far, in the order in which it began. @returns {readonly Turn[]} */
  get turns() {
    return this.#transcript.turns;
  }

  get muted() {
    return this.#isMuted;
  }

  /**
   * Asks for the microphone and connects; call it in a click. Rejects with an `AntiphonError`;
   * then nothing is left open.
   */
  async start() {
    if (this.#hasStarted) {
      throw new AntiphonError("invalid_options", "an agent is started once: make a new one");
    }
    this.#hasStarted = true;
    try {
      await this.#openSound();
      this.#refuseIfOver();
      await this.session.connect();
      this.#refuseIfOver();
    } catch (error) {
      await this.stop();
      throw asAntiphonError(error, "no_sound", "the call cannot start");
    }
    return this;
  }

  /**
   * Whether the agent hears the user. It goes on hearing silence.
   *
   * @param {boolean} isMuted
   */
  mute(isMuted) {
    this.#isMuted = isMuted;
    if (this.#microphone) this.#microphone.muted = isMuted;
  }

  /**
   * Says something in writing, and asks for an answer.
   *
   * @param {string} text
   */
  send(text) {
    this.session.addMessage(text);
    this.session.createReply();
    this.#tell("turn", this.#transcript.write(text));
  }

  /** Hangs up: silence at once, and nothing is left open. Never rejects. */
  async stop() {
    this.#isOver = true;
    await Promise.all([this.#close(), this.session.end()]);
  }

  // --- events ------------------------------------------------------------------------------

  /**
   * @template {keyof VoiceAgentEventMap} K
   * @overload
   * @param {K} type
   * @param {VoiceAgentListener<K>} listener
   * @param {boolean | AddEventListenerOptions} [options]
   * @returns {void}
   */
  /**
   * @param {string} type
   * @param {any} listener
   * @param {boolean | AddEventListenerOptions} [options]
   */
  addEventListener(type, listener, options) {
    super.addEventListener(type, listener, options);
  }

  /**
   * @template {keyof VoiceAgentEventMap} K
   * @overload
   * @param {K} type
   * @param {VoiceAgentListener<K>} listener
   * @param {boolean | EventListenerOptions} [options]
   * @returns {void}
   */
  /**
   * @param {string} type
   * @param {any} listener
   * @param {boolean | EventListenerOptions} [options]
   */
  removeEventListener(type, listener, options) {
    super.removeEventListener(type, listener, options);
  }

  /**
   * @param {string} type
   * @param {unknown} [detail]
   */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  // --- sound -------------------------------------------------------------------------------

  /** Both at once, for both must be asked for within the click. */
  async #openSound() {
    const { microphone, player } = this.#options;
    const opened = await Promise.allSettled([
      Player.open(player),
      microphone === false ? null : Microphone.open(microphone),
    ]);
    const [speaks, hears] = opened;
    if (speaks.status === "fulfilled") this.#player = speaks.value;
    if (hears.status === "fulfilled") this.#microphone = hears.value;
    // The microphone is what a person can do something about.
    if (hears.status === "rejected") throw hears.reason;
    if (speaks.status === "rejected") throw speaks.reason;
    if (this.#isOver) return;
    this.#connectSound(speaks.value, hears.value);
  }

  /**
   * @param {Player} player
   * @param {Microphone | null} microphone
   */
  #connectSound(player, microphone) {
    for (const type of ["started", "drained", "blocked", "unblocked"]) {
      player.addEventListener(type, (event) => {
        this.#tell(type, /** @type {CustomEvent} */ (event).detail);
      });
    }
    if (player.isBlocked) this.#tell("blocked");
    if (!microphone) return;
    microphone.muted = this.#isMuted;
    microphone.onframe = (pcm) => {
      const { state } = this.session;
      if (state === "ready" || state === "reconnecting") this.session.sendAudio(pcm);
    };
    microphone.addEventListener("failed", (event) => {
      this.#tell("failed", /** @type {CustomEvent} */ (event).detail);
      void this.stop();
    });
  }

  #refuseIfOver() {
    if (this.#isOver) throw new AntiphonError("session_over", "the call was stopped");
  }

  // --- what comes --------------------------------------------------------------------------

  /** @param {ServerMessage | UnknownMessage} message */
  #take(message) {
    this.#sound(/** @type {ServerMessage} */ (message));
    if (!RESERVED.has(message.type)) this.#tell(message.type, message);
    this.#tell("message", message);
    const turn = this.#transcript.take(message);
    if (turn) this.#tell("turn", turn);
  }

  /** @param {ServerMessage} message */
  #sound(message) {
    if (message.type === "reply.audio") {
      if (message.reply_id !== this.#hushed) this.#play(message.data, message.reply_id);
    } else if (message.type === "input.speech.started") {
      // While the agent speaks it is said only of what interrupts it (protocol section 4.8).
      this.#hush(this.session.replyId);
    } else if (message.type === "reply.done") {
      this.#end(message.reply_id, message.status === "interrupted");
    }
  }

  /**
   * @param {string} data
   * @param {string} replyId
   */
  #play(data, replyId) {
    try {
      this.#player?.play(fromBase64(data), replyId);
    } catch (error) {
      this.#tell("dropped", { what: "message", why: "malformed", error });
    }
  }

  /**
   * @param {string} replyId
   * @param {boolean} isInterrupted
   */
  #end(replyId, isInterrupted) {
    // Nobody interrupted where only the line was lost: what is here is played to its end.
    if (isInterrupted && this.state !== "reconnecting") this.#hush(replyId);
    else this.#player?.end(replyId);
  }

  /** @param {string | null} replyId */
  #hush(replyId) {
    this.#hushed = replyId;
    this.#player?.flush();
  }

  // --- how it ends -------------------------------------------------------------------------

  async #finish() {
    const player = this.#player;
    const mayTalkOn = player && !this.#isOver && !this.session.failure && !player.isBlocked;
    this.#isOver = true;
    await this.#microphone?.close();
    if (mayTalkOn && !player.isDrained) await drained(player);
    await this.#close();
  }

  async #close() {
    // What is opened while this is called is closed by `start`, which calls it again.
    const [microphone, player] = [this.#microphone, this.#player];
    this.#closing = Promise.all([this.#closing, microphone?.close(), player?.close()]).then(
      () => {},
      () => {},
    );
    await this.#closing;
  }
}

/** @param {Player} player */
function drained(player) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LAST_WORDS_MS);
    player.addEventListener("drained", () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}
