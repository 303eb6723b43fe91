/** What was said, turn by turn. */

/** @import { ServerMessage, Turn, UnknownMessage } from "../types/index.js" */

/** Keeps the turns of a conversation, in the order in which they began. */
export class Transcript {
  /** @type {Turn[]} */
  turns = [];

  /**
   * Takes a message of the server. Returns the turn that it began or changed, if it did.
   *
   * @param {ServerMessage | UnknownMessage} given
   * @returns {Turn | null}
   */
  take(given) {
    const message = /** @type {ServerMessage} */ (given);
    switch (message.type) {
      case "transcript.user.delta":
        return this.#change(message.item_id, "user", { text: message.text });
      case "transcript.user":
        return this.#change(message.item_id, "user", { text: message.text, isFinal: true });
      case "transcript.agent.delta": {
        const turn = this.#turn(message.item_id, "agent", message.reply_id);
        // A word that comes late does not undo what was said in the end.
        return turn.isFinal ? null : Object.assign(turn, { text: turn.text + message.delta });
      }
      case "transcript.agent":
        return Object.assign(this.#turn(message.item_id, "agent", message.reply_id), {
          text: message.text,
          isInterrupted: message.interrupted,
          isFinal: true,
        });
      default:
        return null;
    }
  }

  /**
   * Adds what the user wrote.
   *
   * @param {string} text
   */
  write(text) {
    const turn = this.#turn(`written_${this.turns.length}`, "user");
    return Object.assign(turn, { text, isFinal: true });
  }

  /**
   * @param {string} id
   * @param {"user" | "agent"} role
   * @param {Partial<Turn>} change
   */
  #change(id, role, change) {
    return Object.assign(this.#turn(id, role), change);
  }

  /**
   * @param {string} id
   * @param {"user" | "agent"} role
   * @param {string | null} [replyId]
   */
  #turn(id, role, replyId = null) {
    const known = this.turns.findLast((turn) => turn.id === id && turn.role === role);
    if (known) return known;
    /** @type {Turn} */
    const turn = { id, role, replyId, text: "", isFinal: false, isInterrupted: false };
    this.turns.push(turn);
    return turn;
  }
}
