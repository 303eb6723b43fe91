/** A session's options, checked. */

/**
 * @import { SessionOptions, SessionUpdate, WebSocketClass } from "../types/index.js"
 * @import { LifelineOptions } from "./lifeline.js"
 * @import { Toolbox } from "./tools.js"
 */

import { socketUrl } from "./address.js";
import { AntiphonError } from "./errors.js";
import { TIMINGS } from "./timings.js";

/** Bytes of a millisecond: int16 at 24 kHz, and G.711 at 8 kHz. */
const PCM_BYTES_PER_MS = 48;
const G711_BYTES_PER_MS = 8;

/**
 * How a session connects. Throws an `AntiphonError` of code `invalid_options`.
 *
 * @param {SessionOptions} options
 * @returns {LifelineOptions}
 */
export function lifelineOptions(options) {
  return {
    address: socketUrl(options.url, { timeline: options.timeline ?? false }),
    WebSocket: webSocketOf(options),
    token: options.token,
    getToken: options.getToken,
    resume: options.resume ?? true,
    timings: { ...TIMINGS, ...options.timings },
  };
}

/**
 * A stored agent comes alone in the first update (protocol section 3.1).
 *
 * @param {SessionUpdate} given
 * @param {Toolbox} toolbox
 */
export function refuseToolsOfStoredAgent(given, toolbox) {
  if (!given.agent_id || !toolbox.declarations.length) return;
  const message = "a stored agent declares its tools itself: give plain functions, by name";
  throw new AntiphonError("invalid_options", message, { param: "tools" });
}

/**
 * @param {SessionOptions} options
 * @returns {WebSocketClass}
 */
function webSocketOf(options) {
  const found = options.WebSocket ?? globalThis.WebSocket;
  if (found) return found;
  const message = "there is no WebSocket here: use Node 22 or later, or pass one as `WebSocket`";
  throw new AntiphonError("invalid_options", message, { param: "WebSocket" });
}

/**
 * Of an input encoding.
 *
 * @param {string | null | undefined} encoding
 */
export function bytesPerMs(encoding) {
  const isG711 = encoding === "audio/pcmu" || encoding === "audio/pcma";
  return isG711 ? G711_BYTES_PER_MS : PCM_BYTES_PER_MS;
}
