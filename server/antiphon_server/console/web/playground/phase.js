/** What a call is doing now, from what was heard of it. */

/**
 * @typedef {"idle" | "connecting" | "listening" | "hearing" | "thinking" | "speaking" | "waiting"
 *   | "reconnecting" | "ended"} PhaseName
 */

/**
 * @typedef {object} Phase
 * @property {PhaseName} name
 * @property {number} attempt of reconnecting, from 1
 * @property {string} reply the reply that speaks or is thought of, "" for none
 * @property {readonly string[]} calls ids of tool calls that await an answer here
 */

/** @type {Phase} */
export const IDLE = Object.freeze({ name: "idle", attempt: 0, reply: "", calls: [] });

/** @type {Record<PhaseName, string>} */
export const WORDS = {
  idle: "Ready when you are",
  connecting: "Connecting",
  listening: "Listening",
  hearing: "Hearing you",
  thinking: "Thinking",
  speaking: "Speaking",
  waiting: "Waiting for a tool's answer",
  reconnecting: "Reconnecting",
  ended: "Call ended",
};

/** The same for who types. @type {Partial<Record<PhaseName, string>>} */
export const WORDS_TYPING = { listening: "Your turn to type" };

/** Phases in which there is a call. */
const LIVE = new Set(["listening", "hearing", "thinking", "speaking", "waiting"]);

/** @param {Phase} phase */
export const isCall = (phase) =>
  LIVE.has(phase.name) || phase.name === "connecting" || phase.name === "reconnecting";

/** @param {Phase} phase */
export const isLive = (phase) => LIVE.has(phase.name);

/**
 * The phase after a message of the server, or one of the page: `dialled`, `lost`, `typed`,
 * `answered`, `over`.
 *
 * @param {Phase} phase
 * @param {{type: string} & Record<string, any>} message
 * @returns {Phase}
 */
export function next(phase, message) {
  switch (message.type) {
    case "dialled":
      return { ...IDLE, name: "connecting" };
    case "lost":
      return isCall(phase)
        ? { ...phase, name: "reconnecting", attempt: message.attempt ?? phase.attempt + 1 }
        : phase;
    case "session.ready":
      return { ...phase, name: quiet(phase), attempt: 0, reply: "" };
    case "over":
    case "session.ended":
      return { ...IDLE, name: "ended" };
    default:
      return isLive(phase) ? inCall(phase, message) : phase;
  }
}

/**
 * @param {Phase} phase
 * @param {{type: string} & Record<string, any>} message
 * @returns {Phase}
 */
function inCall(phase, message) {
  switch (message.type) {
    case "input.speech.started":
      return { ...phase, name: "hearing" };
    case "input.speech.stopped":
    case "typed":
      return { ...phase, name: "thinking" };
    case "reply.started":
      // A reply that makes no sound yet is thought about; its sound says when it speaks.
      return {
        ...phase,
        name: phase.name === "hearing" ? "hearing" : "thinking",
        reply: message.reply_id,
      };
    case "reply.audio":
    case "transcript.agent.delta":
      return message.reply_id === phase.reply ? { ...phase, name: "speaking" } : phase;
    case "reply.done":
      if (message.reply_id !== phase.reply) return phase;
      return { ...phase, name: phase.name === "hearing" ? "hearing" : quiet(phase), reply: "" };
    case "tool.call":
      return {
        ...phase,
        calls: [...phase.calls, message.call_id],
        name: phase.name === "speaking" ? "speaking" : "waiting",
      };
    case "answered": {
      const calls = phase.calls.filter((id) => id !== message.call_id);
      return {
        ...phase,
        calls,
        name: phase.name === "waiting" && !calls.length ? "thinking" : phase.name,
      };
    }
    default:
      return phase;
  }
}

/**
 * @param {Phase} phase
 * @returns {PhaseName}
 */
const quiet = (phase) => (phase.calls.length ? "waiting" : "listening");
