/** One socket: from the credential to `session.ready`, and until it is lost. */

/**
 * @import {
 *   ClientMessage, ServerMessage, SessionReady, UnknownMessage, WebSocketClass, WebSocketLike
 * } from "../types/index.js"
 */

import { cuttable } from "./cutting.js";
import { AntiphonError, asAntiphonError, connectionLost, errorOf } from "./errors.js";
import { isKnown, readMessage } from "./messages.js";

const OPEN = 1;

/**
 * @typedef {object} LinkListener Called in the order of things; `lost` last and at most once,
 *     and neither before the session is ready nor after `abandon`.
 * @property {(message: ServerMessage | UnknownMessage) => void} message
 * @property {(message: ClientMessage) => void} sent
 * @property {(error: AntiphonError) => void} malformed
 * @property {(error: AntiphonError) => void} lost
 */

/**
 * @typedef {object} LinkOptions
 * @property {WebSocketClass} WebSocket
 * @property {() => Promise<string>} address With the credential.
 * @property {string} shown The address without it, for messages.
 * @property {ClientMessage} hello The first message.
 * @property {number} timeoutMs
 * @property {LinkListener} listener
 */

export class Link {
  /**
   * Resolves when the session listens; rejects with an `AntiphonError`.
   *
   * @type {Promise<SessionReady>}
   */
  ready;

  /** @type {"opening" | "ready" | "over"} */
  #phase = "opening";
  /** @type {WebSocketLike | null} */
  #socket = null;
  /** @type {(code: number) => void} */
  #close = () => {};
  /** @type {unknown} What the socket said before it closed. */
  #trouble;
  /** @type {(ready: SessionReady) => void} */
  #resolve = () => {};
  /** @type {(error: AntiphonError) => void} */
  #reject = () => {};
  #options;
  #timer;

  /** @param {LinkOptions} options */
  constructor(options) {
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(() => this.#timeOut(), options.timeoutMs);
    this.#dial().catch((thrown) => {
      this.#fail(asAntiphonError(thrown, "cannot_connect", `cannot connect to ${options.shown}`));
    });
  }

  /** Whether something can be sent. */
  get isOpen() {
    return this.#phase === "ready" && this.#socket?.readyState === OPEN;
  }

  /** Bytes that wait for the network. */
  get bufferedAmount() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** @param {ClientMessage} message */
  send(message) {
    this.#socket?.send(JSON.stringify(message));
    this.#options.listener.sent(message);
  }

  /**
   * Lets go of the socket, whatever state it is in; nothing is called any more.
   *
   * @param {AntiphonError} [why] What `ready` rejects with, if it is still waited for.
   */
  abandon(why) {
    if (this.#phase === "over") return;
    this.#phase = "over";
    clearTimeout(this.#timer);
    this.#reject(why ?? new AntiphonError("session_over", "the session was ended"));
    const socket = this.#socket;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // Not null: the WebSocket of `ws` throws errors that nobody listens to.
    socket.onerror = () => {};
    this.#close(1000);
  }

  async #dial() {
    const { WebSocket, address } = this.#options;
    const url = await address();
    if (this.#phase === "over") return;
    const { socket, close } = cuttable(() => new WebSocket(url));
    this.#socket = socket;
    this.#close = close;
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      this.send(this.#options.hello);
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onerror = (event) => {
      this.#trouble = event?.error ?? event?.message;
    };
    socket.onclose = ({ code, reason }) => this.#closed(wasOpen, code, reason ?? "");
  }

  /** @param {unknown} frame */
  #receive(frame) {
    const { listener } = this.#options;
    let message;
    try {
      message = readMessage(frame);
    } catch (thrown) {
      const error = asAntiphonError(thrown, "malformed_message", "unreadable");
      if (this.#phase === "ready") listener.malformed(error);
      else this.#fail(this.#isNoServer(error));
      return;
    }
    if (this.#phase === "ready" || !isKnown(message)) return listener.message(message);
    if (message.type === "session.ready") {
      this.#phase = "ready";
      clearTimeout(this.#timer);
      this.#resolve(message);
    }
    listener.message(message);
    if (message.type === "session.error") this.#fail(errorOf(message, { isReady: false }));
  }

  /**
   * @param {boolean} wasOpen
   * @param {number} code
   * @param {string} reason
   */
  #closed(wasOpen, code, reason) {
    const lost = connectionLost(code, reason, this.#trouble);
    if (this.#phase === "ready") {
      this.abandon();
      this.#options.listener.lost(lost);
    } else {
      this.#fail(wasOpen ? lost : this.#isNoServer(this.#trouble));
    }
  }

  #timeOut() {
    const message = `the session was not ready within ${this.#options.timeoutMs} ms`;
    this.#fail(new AntiphonError("timed_out", message, { fatal: true, retryable: true }));
  }

  /** @param {unknown} cause */
  #isNoServer(cause) {
    const message = `no voice agent server answers at ${this.#options.shown}`;
    return new AntiphonError("cannot_connect", message, { fatal: true, retryable: true, cause });
  }

  /** @param {AntiphonError} error */
  #fail(error) {
    this.abandon(error);
  }
}
