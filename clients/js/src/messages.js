/** Messages of the server as they come: read, and what is not one refused. */

/** @import { ServerMessage, UnknownMessage } from "../types/index.js" */

import { AntiphonError } from "./errors.js";

/**
 * What a listener may rely on, by type: the fields that are always there. An older server may
 * leave out the others (`timestamp`, `param`).
 *
 * @type {ReadonlyMap<string, Readonly<Record<string, "string" | "boolean" | "object">>>}
 */
const FIELDS = new Map(
  Object.entries({
    "session.ready": { session_id: "string", resume_token: "string", config: "object" },
    "session.updated": { config: "object" },
    "session.ended": {},
    "session.error": { code: "string", message: "string" },
    "input.speech.started": {},
    "input.speech.stopped": {},
    "transcript.user.delta": { item_id: "string", text: "string" },
    "transcript.user": { item_id: "string", text: "string" },
    "reply.started": { reply_id: "string", item_id: "string" },
    "reply.audio": { reply_id: "string", data: "string" },
    "transcript.agent.delta": { reply_id: "string", delta: "string" },
    "transcript.agent": { reply_id: "string", text: "string" },
    "reply.done": { reply_id: "string" },
    "reply.error": { reply_id: "string", code: "string", message: "string" },
    "tool.call": { call_id: "string", name: "string" },
    "turn.timeline": { reply_id: "string", stages: "object" },
  }),
);

/**
 * The message in one frame.
 *
 * Throws an `AntiphonError` of code `malformed_message` for a frame that is not a message, or
 * one that lacks a field of its type.
 *
 * @param {unknown} frame
 * @returns {ServerMessage | UnknownMessage}
 */
export function readMessage(frame) {
  if (typeof frame !== "string") throw malformed("a frame that is not text");
  /** @type {unknown} */
  let message;
  try {
    message = JSON.parse(frame);
  } catch (cause) {
    throw malformed("a frame that is not JSON", cause);
  }
  if (!isObject(message) || typeof message["type"] !== "string") {
    throw malformed("a message without a type");
  }
  const fields = FIELDS.get(message["type"]) ?? {};
  for (const [name, kind] of Object.entries(fields)) {
    const value = message[name];
    if (kind === "object" ? !isObject(value) : typeof value !== kind) {
      throw malformed(`a ${message["type"]} whose ${name} is not ${kind}`);
    }
  }
  return /** @type {UnknownMessage} */ (message);
}

/**
 * Whether a message is of a type that this version knows.
 *
 * @param {ServerMessage | UnknownMessage} message
 * @returns {message is ServerMessage}
 */
export function isKnown(message) {
  return FIELDS.has(message.type);
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * @param {string} what
 * @param {unknown} [cause]
 */
function malformed(what, cause) {
  const details = cause === undefined ? {} : { cause };
  return new AntiphonError("malformed_message", `the server sent ${what}`, details);
}
