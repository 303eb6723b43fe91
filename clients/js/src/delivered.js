/** Which lasting events have come already: after a resume a server sends some of them again. */

/** @import { ServerMessage, UnknownMessage } from "../types/index.js" */

/** Events: those of some fifty turns; a server sends again what is seconds old. */
const REMEMBERED = 256;

/** @type {ReadonlyMap<string, "item_id" | "reply_id" | "call_id">} */
const ID = new Map([
  ["transcript.user", "item_id"],
  ["reply.started", "reply_id"],
  ["transcript.agent", "reply_id"],
  ["reply.done", "reply_id"],
  ["tool.call", "call_id"],
]);

export class Delivered {
  /** The highest number of a lasting event; 0 while the server numbers none. */
  lastSeq = 0;

  /** @type {Set<string>} In the order of their coming. */
  #known = new Set();

  /**
   * Takes note of a message; false for one that came before.
   *
   * @param {ServerMessage | UnknownMessage} message
   */
  isNew(message) {
    const { seq } = /** @type {{ seq?: unknown }} */ (message);
    if (typeof seq === "number" && Number.isSafeInteger(seq)) {
      if (seq <= this.lastSeq) return false;
      this.lastSeq = seq;
    }
    const mark = markOf(message);
    if (mark === null) return true;
    if (this.#known.has(mark)) return false;
    this.#known.add(mark);
    if (this.#known.size > REMEMBERED) {
      for (const oldest of this.#known) {
        this.#known.delete(oldest);
        break;
      }
    }
    return true;
  }

  /**
   * Whether a reply is over.
   *
   * @param {string} replyId
   */
  isDone(replyId) {
    return this.#known.has(`reply.done ${replyId}`);
  }
}

/** @param {ServerMessage | UnknownMessage} message */
function markOf(message) {
  const id = ID.get(message.type);
  if (id === undefined) return null;
  return `${message.type} ${/** @type {UnknownMessage} */ (message)[id]}`;
}
