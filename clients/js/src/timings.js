/** How long things may take, in milliseconds, and how far apart tries to come back lie. */

/** @import { Timings } from "../types/index.js" */

/** @type {Readonly<Timings>} */
export const TIMINGS = {
  // The hosted service takes one second.
  connectMs: 10_000,
  tryMs: 6000,
  // The server keeps a session for 30 s by default.
  windowMs: 25_000,
  firstDelayMs: 250,
  longestDelayMs: 5000,
  // The hosted service takes about 0.2 s.
  goodbyeMs: 5000,
  // A line that went dead without a word is noticed within twice this, and half of the time in
  // which a session can be resumed is left.
  keepaliveMs: 8000,
};

/**
 * The longest wait before a try: it doubles. What is waited is a random part of it, so that the
 * clients of a server that was restarted do not all come at once (protocol section 4.11).
 *
 * @param {number} number Tries so far.
 * @param {Readonly<Timings>} timings
 */
export function longestDelay(number, timings) {
  return Math.min(timings.longestDelayMs, timings.firstDelayMs * 2 ** number);
}

/**
 * Resolves after so many milliseconds, or as soon as an event of the window happens. Rejects
 * with the signal's reason, and leaves neither timer nor listener.
 *
 * @param {number} ms
 * @param {AbortSignal} signal
 * @param {string} [event]
 * @returns {Promise<void>}
 */
export function pause(ms, signal, event) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      if (event) globalThis.removeEventListener?.(event, done);
    };
    const done = () => {
      stop();
      resolve();
    };
    const aborted = () => {
      stop();
      reject(signal.reason);
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) return aborted();
    signal.addEventListener("abort", aborted);
    if (event) globalThis.addEventListener?.(event, done);
  });
}
