/** Bytes and base64 (RFC 4648, standard alphabet, padded). */

import { AntiphonError } from "./errors.js";

/** Arguments of one call of a function; engines allow at least 65 535. */
const PIECE = 0x8000;

/**
 * What browsers have since 2025 and Node since 25.
 *
 * @typedef {Uint8Array & { toBase64?: () => string }} MayEncode
 * @typedef {{ fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }} MayDecode
 */

/** An engine that is trying it out may forget that bytes can begin in the middle of a buffer. */
const CAN_ENCODE =
  /** @type {MayEncode} */ (new Uint8Array([0, 1, 2]).subarray(1)).toBase64?.() === "AQI=";

/**
 * Bytes as base64.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function toBase64(bytes) {
  if (CAN_ENCODE) return /** @type {Required<MayEncode>} */ (bytes).toBase64();
  let text = "";
  for (let start = 0; start < bytes.length; start += PIECE) {
    const piece = bytes.subarray(start, start + PIECE);
    text += String.fromCharCode.apply(null, /** @type {any} */ (piece));
  }
  return btoa(text);
}

/**
 * Base64 as bytes. Throws an `AntiphonError` of code `malformed_message` for anything else.
 *
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function fromBase64(text) {
  try {
    const able = /** @type {MayDecode} */ (Uint8Array);
    if (able.fromBase64) return able.fromBase64(text);
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length);
    for (let index = 0; index < letters.length; index += 1) {
      bytes[index] = letters.charCodeAt(index);
    }
    return bytes;
  } catch (cause) {
    throw new AntiphonError("malformed_message", "this is not base64", { cause });
  }
}
