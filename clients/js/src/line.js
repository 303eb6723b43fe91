/** What is sent: over the link there is; while there is none it waits, within limits. */

/** @import { ClientMessage, Dropped, GiveToolResult } from "../types/index.js" */
/** @import { Link } from "./link.js" */

import { toBase64 } from "./base64.js";
import { AntiphonError } from "./errors.js";

/** Messages that wait for a link, which is there again within 25 s or never. */
const MOST_WAITING = 256;
/** Tool results that are sent again after a resume: how many, and for how long. */
const MOST_KEPT = 32;
const KEPT_MS = 60_000;
/**
 * Sound that waits: for a link, or for the network. Older words are better lost than late; a
 * server takes a burst of this without complaint.
 */
const MOST_AUDIO_MS = 2000;
/** Longest audio message; base64 of a second stays far below any frame limit. */
const PIECE_MS = 1000;
/** Base64 has four letters for three bytes. */
const LETTERS_A_BYTE = 4 / 3;

export class Line {
  /** Of the input encoding; int16 at 24 kHz has 48, G.711 8. */
  bytesPerMs = 48;

  /** @type {Link | null} */
  #link = null;
  /** @type {ClientMessage[]} */
  #waiting = [];
  /** @type {Array<{ at: number, message: GiveToolResult }>} */
  #kept = [];
  /** @type {Uint8Array[]} */
  #audio = [];
  #audioBytes = 0;
  #isOver = false;
  #dropped;

  /** @param {(what: Dropped) => void} dropped */
  constructor(dropped) {
    this.#dropped = dropped;
  }

  /**
   * There is a link: what must arrive is sent again, and what waits is sent.
   *
   * @param {Link} link
   */
  attach(link) {
    this.#link = link;
    const since = performance.now() - KEPT_MS;
    for (const { at, message } of [...this.#kept]) {
      if (at >= since) link.send(message);
    }
    // What is left when this link is lost, too, waits for the next.
    while (link.isOpen && this.#waiting.length) {
      link.send(/** @type {ClientMessage} */ (this.#waiting.shift()));
    }
    while (link.isOpen && this.#audio.length) {
      const piece = /** @type {Uint8Array} */ (this.#audio.shift());
      this.#audioBytes -= piece.length;
      this.#sendPiece(link, piece);
    }
  }

  /** There is no link for now. */
  detach() {
    this.#link = null;
  }

  /** Nothing will be sent any more. */
  close() {
    this.detach();
    this.#isOver = true;
    this.#waiting = [];
    this.#kept = [];
    this.#audio = [];
    this.#audioBytes = 0;
  }

  /**
   * Sends, once there is a link. Throws an `AntiphonError` when there will be none any more,
   * and when too much waits already.
   *
   * @param {ClientMessage} message
   */
  send(message) {
    this.#refuseIfOver();
    if (this.#link?.isOpen) return this.#link.send(message);
    if (this.#waiting.length >= MOST_WAITING) {
      const text = `${MOST_WAITING} messages wait for the connection already`;
      throw new AntiphonError("queue_full", text, { retryable: true });
    }
    this.#waiting.push(message);
  }

  /**
   * The same; and after a resume it is sent again, since the socket may have been lost with it:
   * only for what the server takes once.
   *
   * @param {GiveToolResult} message
   */
  sendSurely(message) {
    this.#refuseIfOver();
    this.#kept.push({ at: performance.now(), message });
    if (this.#kept.length > MOST_KEPT) this.#kept.shift();
    if (this.#link?.isOpen) this.#link.send(message);
  }

  /**
   * Sends sound. Without a link the latest two seconds wait for it; while the network does not
   * keep up, sound is dropped. Returns whether all of it was sent or waits.
   *
   * @param {Uint8Array} samples
   * @returns {boolean}
   */
  sendAudio(samples) {
    if (this.#isOver) return false;
    const size = PIECE_MS * this.bytesPerMs;
    let isTaken = true;
    for (let start = 0; start < samples.length; start += size) {
      const piece = samples.subarray(start, start + size);
      isTaken = this.#take(piece) && isTaken;
    }
    return isTaken;
  }

  /** @param {Uint8Array} piece */
  #take(piece) {
    const link = this.#link;
    if (link?.isOpen) {
      if (link.bufferedAmount <= MOST_AUDIO_MS * this.bytesPerMs * LETTERS_A_BYTE) {
        this.#sendPiece(link, piece);
        return true;
      }
      this.#dropped({ what: "audio", why: "backpressure", bytes: piece.length });
      return false;
    }
    // A copy: who recorded it may use the memory again.
    this.#audio.push(piece.slice());
    this.#audioBytes += piece.length;
    return this.#forgetOld();
  }

  /** Whether nothing had to be forgotten. */
  #forgetOld() {
    let bytes = 0;
    while (this.#audioBytes - bytes > MOST_AUDIO_MS * this.bytesPerMs) {
      bytes += this.#audio.shift()?.length ?? 0;
    }
    this.#audioBytes -= bytes;
    if (bytes) this.#dropped({ what: "audio", why: "not_ready", bytes });
    return bytes === 0;
  }

  /**
   * @param {Link} link
   * @param {Uint8Array} piece
   */
  #sendPiece(link, piece) {
    link.send({ type: "input.audio", audio: toBase64(piece) });
  }

  #refuseIfOver() {
    if (this.#isOver) throw new AntiphonError("session_over", "the session is over");
  }
}
