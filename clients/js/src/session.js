/** One conversation with an agent, in a browser or in Node. */

/**
 * @import {
 *   ClientMessage, Dropped, ServerMessage, SessionConfig, SessionEnded, SessionEventMap,
 *   SessionListener, SessionOptions, SessionReady, SessionState, SessionUpdate, ToolCall, Tools,
 *   UnknownMessage, WaitOptions
 * } from "../types/index.js"
 */

import { Delivered } from "./delivered.js";
import { AntiphonError } from "./errors.js";
import { Lifeline } from "./lifeline.js";
import { Line } from "./line.js";
import { isKnown } from "./messages.js";
import { bytesPerMs, lifelineOptions, refuseToolsOfStoredAgent } from "./options.js";
import { textOf, Toolbox } from "./tools.js";
import { waitFor } from "./wait.js";

/** Events of our own: a server's message of such a type is seen as "message" only. */
const OWN = new Set(["message", "sent", "state", "failed", "dropped", "tool.failed"]);

export class Session extends EventTarget {
  #lifeline;
  #line;
  #toolbox;
  #delivered = new Delivered();
  #given;
  /** @type {SessionReady | null} */
  #ready = null;
  /** @type {SessionConfig | null} */
  #config = null;
  /** @type {string | null} */
  #replyId = null;
  #resumes = 0;
  /** @type {SessionEnded | null} */
  #ended = null;
  /** @type {AntiphonError | null} */
  #failure = null;
  /** @type {() => void} */
  #isOver = () => {};
  #over;

  /**
   * Nothing happens before `connect`. Throws an `AntiphonError` of code `invalid_options` or
   * `invalid_tool`.
   *
   * @param {SessionOptions} [options]
   */
  constructor(options = {}) {
    super();
    this.#toolbox = new Toolbox(options.tools);
    this.#given = options.session ?? {};
    refuseToolsOfStoredAgent(this.#given, this.#toolbox);
    this.#over = new Promise((resolve) => {
      this.#isOver = () => resolve(undefined);
    });
    this.#line = new Line((what) => this.#tell("dropped", what));
    this.#line.bytesPerMs = bytesPerMs(this.#given.input?.format?.encoding);
    this.#lifeline = new Lifeline(
      lifelineOptions(options),
      this.#line,
      {
        message: (message) => this.#take(message),
        sent: (message) => this.#tell("sent", message),
        malformed: (error) => this.#skip(error),
        ready: (ready, isBack) => this.#welcome(ready, isBack),
        state: (state) => this.#change(state),
        lastSeq: () => this.#delivered.lastSeq,
        over: (failure) => this.#finish(failure),
      },
    );
  }

  /** @returns {SessionState} */
  get state() {
    return this.#lifeline.state;
  }

  /** `sess_...`, once the session is ready. */
  get id() {
    return this.#ready?.session_id ?? null;
  }

  /** The configuration in effect. */
  get config() {
    return this.#config;
  }

  /** When the session is cut: Unix seconds. */
  get expiresAt() {
    return this.#ready?.expires_at ?? null;
  }

  /** The reply that is under way. */
  get replyId() {
    return this.#replyId;
  }

  /** How often the session came back. */
  get resumes() {
    return this.#resumes;
  }

  /** The server's goodbye. */
  get ended() {
    return this.#ended;
  }

  /** Why the session failed. */
  get failure() {
    return this.#failure;
  }

  /**
   * Resolves when the session is ready. Rejects with an `AntiphonError`; then the session is
   * over.
   *
   * @returns {Promise<this>}
   */
  async connect() {
    if (this.state !== "idle") {
      const message = "a session is connected once: make a new one";
      throw new AntiphonError("invalid_options", message);
    }
    const tools = this.#declared();
    const session = tools.length ? { ...this.#given, tools } : this.#given;
    await this.#lifeline.connect({ type: "session.update", session });
    return this;
  }

  // --- what is said ------------------------------------------------------------------------

  /**
   * Sends microphone audio: raw samples in the input encoding, any amount, at about the pace at
   * which it is spoken; silence too. While there is no connection the latest two seconds wait
   * for it; while the network does not keep up, sound is dropped, and a "dropped" event says
   * how much. Returns whether nothing was dropped.
   *
   * @param {ArrayBuffer | ArrayBufferView} samples
   * @returns {boolean}
   */
  sendAudio(samples) {
    if (!ArrayBuffer.isView(samples)) return this.#line.sendAudio(new Uint8Array(samples));
    const { buffer, byteOffset, byteLength } = samples;
    return this.#line.sendAudio(new Uint8Array(buffer, byteOffset, byteLength));
  }

  /**
   * Changes settings; those not named stay. Answered by a "session.updated" event, or by a
   * "session.error", in which case nothing changed.
   *
   * @param {SessionUpdate} change
   */
  update(change) {
    this.#send({ type: "session.update", session: change });
  }

  /**
   * Replaces the functions of tools, and declares those that have a declaration.
   *
   * @param {Tools} tools
   */
  setTools(tools) {
    const hadSome = this.#toolbox.declarations.length > 0;
    this.#toolbox.replace(tools);
    if (this.state === "idle") return refuseToolsOfStoredAgent(this.#given, this.#toolbox);
    const hasSome = this.#toolbox.declarations.length > 0;
    if (hadSome || hasSome) this.update({ tools: this.#declared() });
  }

  /** The tools that are declared without a function, and with one. */
  #declared() {
    return [...(this.#given.tools ?? []), ...this.#toolbox.declarations];
  }

  /**
   * Asks the agent to say this, word for word; it interrupts what it is saying.
   *
   * @param {string} text
   */
  say(text) {
    this.createReply(`Say exactly the following, and nothing else: ${text}`);
  }

  /**
   * Asks for a reply now, without waiting for the user to speak.
   *
   * @param {string} [instructions] Steer this reply only.
   */
  createReply(instructions) {
    this.#send({ type: "reply.create", ...(instructions === undefined ? {} : { instructions }) });
  }

  /**
   * Stops a reply; one that is over is left alone.
   *
   * @param {string | null} [replyId] By default the one that is under way.
   */
  cancelReply(replyId = this.#replyId) {
    if (replyId !== null) this.#send({ type: "reply.cancel", reply_id: replyId });
  }

  /**
   * Adds to the history; the model reads it before its next reply.
   *
   * @param {string} text
   * @param {"user" | "system"} [role]
   */
  addMessage(text, role = "user") {
    this.#send({ type: "conversation.message", role, content: text });
  }

  /**
   * Answers a "tool.call" that no function answers. It arrives even if the connection is down
   * now, or was lost with it.
   *
   * @param {string} callId
   * @param {unknown} result Text as it is, anything else as JSON.
   * @param {{ isError?: boolean }} [options]
   */
  giveToolResult(callId, result, { isError = false } = {}) {
    this.#refuseIfIdle();
    this.#line.sendSurely({
      type: "tool.result",
      call_id: callId,
      result: textOf(result),
      is_error: isError,
    });
  }

  /**
   * Says goodbye, waits for the server's, and leaves nothing behind: neither sockets nor timers.
   * Resolves with the goodbye, null where there was none; never rejects.
   *
   * @returns {Promise<SessionEnded | null>}
   */
  async end() {
    this.#lifeline.leave();
    await this.#over;
    return this.#ended;
  }

  // --- events ------------------------------------------------------------------------------

  /**
   * @template {keyof SessionEventMap} K
   * @overload
   * @param {K} type
   * @param {SessionListener<K>} listener
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
   * @template {keyof SessionEventMap} K
   * @overload
   * @param {K} type
   * @param {SessionListener<K>} listener
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
   * The detail of the next such event, for which `where` holds. Rejects with an `AntiphonError`
   * when the session is over before, or out of time.
   *
   * @template {keyof SessionEventMap} K
   * @param {K} type
   * @param {WaitOptions<K>} [options]
   * @returns {Promise<SessionEventMap[K]["detail"]>}
   */
  waitFor(type, options = {}) {
    return waitFor(this, type, options);
  }

  /**
   * @template {keyof SessionEventMap} K
   * @param {K} type
   * @param {SessionEventMap[K]["detail"]} detail
   */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  // --- what comes --------------------------------------------------------------------------

  /** @param {ServerMessage | UnknownMessage} message */
  #take(message) {
    // Before the first resume nothing is sent twice on purpose, and nothing is held back.
    if (!this.#delivered.isNew(message) && this.#resumes > 0) return;
    if (isKnown(message)) {
      // Nobody wants to hear the rest of a reply that is over.
      if (message.type === "reply.audio" && this.#delivered.isDone(message.reply_id)) return;
      this.#notice(message);
    }
    if (!OWN.has(message.type)) {
      this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
    }
    this.#tell("message", message);
    if (isKnown(message) && message.type === "tool.call") this.#answer(message);
  }

  /** @param {ServerMessage} message */
  #notice(message) {
    if (message.type === "session.updated") this.#configure(message.config);
    if (message.type === "reply.started") this.#replyId = message.reply_id;
    if (message.type === "reply.done" && message.reply_id === this.#replyId) this.#replyId = null;
    if (message.type === "session.ended") this.#ended = message;
  }

  /** @param {ToolCall} call */
  async #answer(call) {
    if (!this.#toolbox.answers(call, this.#config)) return;
    const outcome = await this.#toolbox.run(call, this.#config);
    if (!outcome || this.state === "ended") return;
    if ("thrown" in outcome) this.#tell("tool.failed", { call, error: outcome.thrown });
    this.giveToolResult(call.call_id, outcome.text, { isError: outcome.isError });
  }

  /** @param {AntiphonError} error */
  #skip(error) {
    this.#tell("dropped", { what: "message", why: "malformed", error });
  }

  // --- how it goes -------------------------------------------------------------------------

  /**
   * @param {SessionReady} ready
   * @param {boolean} isBack
   */
  #welcome(ready, isBack) {
    this.#ready = ready;
    if (isBack) this.#resumes += 1;
    this.#configure(ready.config);
  }

  /** @param {SessionConfig} config */
  #configure(config) {
    this.#config = config;
    this.#line.bytesPerMs = bytesPerMs(config.input?.format?.encoding);
  }

  /** @param {"connecting" | "ready" | "reconnecting"} state */
  #change(state) {
    this.#tell("state", state);
    // The server stops what it was saying when the line drops.
    if (state === "reconnecting" && this.#replyId !== null) {
      const timestamp = Date.now() / 1000;
      this.#take({ type: "reply.done", reply_id: this.#replyId, status: "interrupted", timestamp });
    }
  }

  /** @param {AntiphonError | null} failure */
  #finish(failure) {
    this.#toolbox.stop();
    this.#failure = failure;
    if (failure) this.#tell("failed", failure);
    this.#tell("state", "ended");
    this.#isOver();
  }

  /** @param {ClientMessage} message */
  #send(message) {
    this.#refuseIfIdle();
    this.#line.send(message);
  }

  #refuseIfIdle() {
    if (this.state === "idle") throw new AntiphonError("not_connected", "connect() comes first");
  }
}
