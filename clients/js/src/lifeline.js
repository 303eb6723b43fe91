/** A session's connection: one link after the other, from hello to goodbye. */

/**
 * @import {
 *   ClientMessage, GetToken, ServerMessage, SessionReady, SessionState, Timings, UnknownMessage,
 *   WebSocketClass
 * } from "../types/index.js"
 */

import { withToken, withoutToken } from "./address.js";
import { AntiphonError, asAntiphonError, connectionLost, errorOf, isTerminal } from "./errors.js";
import { Line } from "./line.js";
import { Link } from "./link.js";
import { Liveness } from "./liveness.js";
import { isKnown } from "./messages.js";
import { comeBack, NORMAL_CLOSES, TRIES } from "./resume.js";
import { tokenOf } from "./token.js";

/** A link that is lost sooner than this after a resume counts as one more failed try. */
const STEADY_MS = 2000;
/** After a fatal error: how long the server's own goodbye, or its closing, is waited for. */
const LAST_WORDS_MS = 1000;

/**
 * @typedef {object} LifelineOptions
 * @property {URL} address
 * @property {WebSocketClass} WebSocket
 * @property {string | undefined} token
 * @property {GetToken | undefined} getToken
 * @property {boolean} resume
 * @property {Readonly<Timings>} timings
 */

/**
 * @typedef {object} LifelineListener
 * @property {(message: ServerMessage | UnknownMessage) => void} message
 * @property {(message: ClientMessage) => void} sent
 * @property {(error: AntiphonError) => void} malformed
 * @property {(ready: SessionReady, isBack: boolean) => void} ready Before its message.
 * @property {(state: Exclude<SessionState, "idle" | "ended">) => void} state
 * @property {() => number} lastSeq
 * @property {(failure: AntiphonError | null) => void} over Once, and last.
 */

export class Lifeline {
  /** @type {SessionState} */
  state = "idle";

  #options;
  #listener;
  #line;
  /** @type {Link | null} */
  #link = null;
  #liveness;
  /** @type {SessionReady | null} */
  #ready = null;
  /** @type {AntiphonError | null} A fatal error that the server announced. */
  #verdict = null;
  #isLeaving = false;
  #cameAt = -Infinity;
  #lostInARow = 0;
  #life = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {LifelineOptions} options
   * @param {Line} line
   * @param {LifelineListener} listener
   */
  constructor(options, line, listener) {
    this.#options = options;
    this.#line = line;
    this.#listener = listener;
    this.#liveness = new Liveness({
      periodMs: options.timings.keepaliveMs,
      ask: () => this.#ask(),
      lost: () => this.#lost(connectionLost(1006, "the server does not answer any more")),
    });
  }

  /**
   * Rejects with an `AntiphonError`; then the session is over.
   *
   * @param {ClientMessage} hello
   */
  async connect(hello) {
    this.#change("connecting");
    try {
      await this.#introduce(hello, this.#options.timings.connectMs, () => this.#firstToken());
    } catch (thrown) {
      const error = asAntiphonError(thrown, "cannot_connect", "cannot connect");
      this.#finish(error.code === "session_over" ? null : error);
      throw error;
    }
  }

  /** Says goodbye and waits for the server's, for a while. */
  leave() {
    if (this.state === "ended" || this.#isLeaving) return;
    this.#isLeaving = true;
    if (this.state === "idle" || this.state === "connecting") return this.#finish(null);
    this.#after(this.#options.timings.goodbyeMs, () => this.#finish(this.#verdict));
    try {
      this.#line.send({ type: "session.end" });
    } catch {
      // Too much waits for a connection already.
      this.#finish(null);
    }
  }

  // --- links -------------------------------------------------------------------------------

  /**
   * @param {ClientMessage} hello
   * @param {number} timeoutMs
   * @param {() => Promise<string | null>} token
   */
  async #introduce(hello, timeoutMs, token) {
    this.#life.signal.throwIfAborted();
    const { address, WebSocket } = this.#options;
    const base = this.#ready ? withoutToken(address) : address;
    const link = new Link({
      WebSocket,
      address: async () => withToken(base, await token()),
      shown: withoutToken(address).href,
      hello,
      timeoutMs,
      listener: {
        message: (message) => this.#receive(message),
        sent: this.#listener.sent,
        malformed: this.#listener.malformed,
        lost: (error) => this.#lost(error),
      },
    });
    this.#link = link;
    await link.ready;
  }

  async #firstToken() {
    const { getToken, token } = this.#options;
    return getToken ? await this.#askForToken(getToken) : tokenOf(token);
  }

  /** Where nobody gives a fresh one, the resume token is proof enough. */
  async #nextToken() {
    const { getToken } = this.#options;
    const resumeToken = tokenOf(this.#ready?.resume_token);
    if (!getToken) return resumeToken;
    try {
      return (await this.#askForToken(getToken)) ?? resumeToken;
    } catch (error) {
      if (resumeToken) return resumeToken;
      throw error;
    }
  }

  /** @param {GetToken} getToken */
  async #askForToken(getToken) {
    try {
      return tokenOf(await getToken());
    } catch (thrown) {
      throw asAntiphonError(thrown, "token_failed", "getToken failed");
    }
  }

  // --- what comes --------------------------------------------------------------------------

  /** @param {ServerMessage | UnknownMessage} message */
  #receive(message) {
    this.#liveness.heard();
    if (!isKnown(message)) return this.#listener.message(message);
    if (message.type === "session.ready") this.#welcome(message);
    this.#listener.message(message);
    if (message.type === "session.ready") this.#change("ready");
    if (message.type === "session.ended") this.#finish(this.#verdict);
    if (message.type === "session.error" && this.state === "ready") this.#judge(message);
  }

  /** @param {SessionReady} ready */
  #welcome(ready) {
    const isBack = this.#ready !== null;
    this.#ready = ready;
    this.#listener.ready(ready, isBack);
    if (isBack) this.#cameAt = performance.now();
    this.#liveness.start();
    this.#line.attach(/** @type {Link} */ (this.#link));
  }

  /** @param {import("../types/index.js").SessionError} message */
  #judge(message) {
    const error = errorOf(message, { isReady: true });
    if (!error.fatal || this.#isOver) return;
    this.#verdict = error;
    this.#after(LAST_WORDS_MS, () => this.#lost(error));
  }

  // --- losing it, and coming back ----------------------------------------------------------

  /** @param {AntiphonError} error */
  #lost(error) {
    this.#letGo(error);
    const verdict = this.#verdict;
    const isOver = this.#isLeaving || !this.#mayResume(error, verdict);
    if (isOver) return this.#finish(verdict ?? (this.#isLeaving ? null : error));
    this.#verdict = null;
    this.#return(verdict ?? error, verdict !== null);
  }

  /**
   * @param {AntiphonError} error
   * @param {AntiphonError | null} verdict
   */
  #mayResume(error, verdict) {
    return (
      this.#options.resume &&
      Boolean(this.#ready?.resume_token) &&
      (verdict === null || verdict.code === "internal_error") &&
      !NORMAL_CLOSES.includes(error.closeCode ?? 0)
    );
  }

  /**
   * @param {AntiphonError} lost
   * @param {boolean} wasTheServersFault
   */
  async #return(lost, wasTheServersFault) {
    const isSteady = performance.now() - this.#cameAt >= STEADY_MS;
    this.#lostInARow = isSteady ? 0 : this.#lostInARow + 1;
    if (this.#lostInARow >= TRIES) return this.#finish(lost);
    this.#change("reconnecting");
    try {
      await comeBack({
        attempt: (timeoutMs) =>
          this.#introduce(this.#helloAgain(), timeoutMs, () => this.#nextToken()),
        timings: this.#options.timings,
        signal: this.#life.signal,
      });
    } catch (thrown) {
      if (this.#isOver) return;
      const error = asAntiphonError(thrown, "connection_lost", "the session was not resumed");
      lost.cause = error;
      const isPlain = isTerminal(error) && !wasTheServersFault;
      this.#finish(this.#isLeaving ? null : isPlain ? error : lost);
    }
  }

  /** @returns {ClientMessage} */
  #helloAgain() {
    const { session_id } = /** @type {SessionReady} */ (this.#ready);
    const last_seq = this.#listener.lastSeq();
    return { type: "session.resume", session_id, ...(last_seq ? { last_seq } : {}) };
  }

  #ask() {
    if (this.#link?.isOpen) this.#link.send({ type: "session.update", session: {} });
  }

  // --- the end -----------------------------------------------------------------------------

  get #isOver() {
    return this.#life.signal.aborted;
  }

  /** @param {AntiphonError} [why] */
  #letGo(why) {
    clearTimeout(this.#timer);
    this.#liveness.stop();
    this.#line.detach();
    this.#link?.abandon(why);
  }

  /** @param {AntiphonError | null} failure */
  #finish(failure) {
    if (this.#isOver) return;
    this.state = "ended";
    this.#life.abort(new AntiphonError("session_over", "the session is over"));
    this.#letGo();
    this.#line.close();
    this.#listener.over(failure);
  }

  /**
   * @param {number} ms
   * @param {() => void} then
   */
  #after(ms, then) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }

  /** @param {Exclude<SessionState, "idle" | "ended">} state */
  #change(state) {
    if (this.#isOver) return;
    this.state = state;
    this.#listener.state(state);
  }
}
