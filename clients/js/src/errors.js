/** What can go wrong, and which of it is the end. */

/**
 * @import { AntiphonErrorCode, AntiphonErrorDetails, SessionError } from "../types/index.js"
 */

/** Codes after which the server closes the socket, whenever they come (protocol section 5.1). */
const FATAL = new Set([
  "agent_not_found",
  "at_capacity",
  "concurrency_exceeded",
  "internal_error",
  "session_expired",
  "session_forbidden",
  "session_not_found",
  "unauthorized",
]);

/** Answers to a resume after which no further try can succeed (protocol section 4.11). */
const TERMINAL = new Set([
  "session_expired",
  "session_forbidden",
  "session_not_found",
  "unauthorized",
]);

const RETRYABLE = new Set(["at_capacity", "concurrency_exceeded", "internal_error"]);

/** Anything this package fails with on purpose. */
export class AntiphonError extends Error {
  /** @type {"AntiphonError"} */
  name = "AntiphonError";

  /**
   * @param {AntiphonErrorCode} code
   * @param {string} message For a person.
   * @param {AntiphonErrorDetails} [details]
   */
  constructor(code, message, details = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    /** Path of the offending field, such as `output.voice`. */
    this.param = details.param ?? null;
    /** Whether the session is over because of it. */
    this.fatal = details.fatal ?? false;
    /** Whether trying again later may help. */
    this.retryable = details.retryable ?? false;
    /** WebSocket close code, where a socket was lost. */
    this.closeCode = details.closeCode ?? null;
  }
}

/** Thrown by a tool to tell the model, in its own words, what went wrong. */
export class ToolFailed extends Error {
  /** @type {"ToolFailed"} */
  name = "ToolFailed";
}

/**
 * The error in a `session.error`. Before the session is ready every one of them is the end.
 *
 * @param {SessionError} message
 * @param {{ isReady: boolean }} when
 */
export function errorOf(message, { isReady }) {
  return new AntiphonError(message.code, message.message, {
    param: message.param,
    fatal: !isReady || FATAL.has(message.code),
    retryable: RETRYABLE.has(message.code),
  });
}

/**
 * Whether the server said that there is nothing to come back to.
 *
 * @param {AntiphonError} error
 */
export function isTerminal(error) {
  return TERMINAL.has(error.code);
}

/**
 * The error for a socket that is gone.
 *
 * @param {number} closeCode
 * @param {string} reason
 * @param {unknown} [cause]
 */
export function connectionLost(closeCode, reason, cause) {
  const why = reason ? `: ${reason}` : "";
  const text = `the connection to the server was lost (close code ${closeCode}${why})`;
  return new AntiphonError("connection_lost", text, {
    fatal: true,
    retryable: true,
    closeCode,
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * Anything thrown, as an `AntiphonError`.
 *
 * @param {unknown} thrown
 * @param {AntiphonErrorCode} code For what is none yet.
 * @param {string} message
 */
export function asAntiphonError(thrown, code, message) {
  if (thrown instanceof AntiphonError) return thrown;
  return new AntiphonError(code, `${message}: ${described(thrown)}`, {
    fatal: true,
    cause: thrown,
  });
}

/**
 * What was thrown, in one line.
 *
 * @param {unknown} thrown
 */
export function described(thrown) {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.message ? `${thrown.name}: ${thrown.message}` : thrown.name;
}
