/** Coming back to a session whose socket was lost (protocol section 4.11). */

/** @import { Timings } from "../types/index.js" */

import { AntiphonError, asAntiphonError, isTerminal } from "./errors.js";
import { longestDelay, pause } from "./timings.js";

export const TRIES = 5;

/** Somebody meant to go; nobody is to come back. */
export const NORMAL_CLOSES = [1000, 1001];

/**
 * Tries at most `TRIES` times within the window, further and further apart, each at a random
 * moment. Rejects at once with an answer after which no further try can succeed, with what the
 * last try failed with after all others, and with the signal's reason.
 *
 * @param {object} how
 * @param {(timeoutMs: number) => Promise<unknown>} how.attempt
 * @param {Readonly<Timings>} how.timings
 * @param {AbortSignal} how.signal
 */
export async function comeBack({ attempt, timings, signal }) {
  const until = performance.now() + timings.windowMs;
  const left = () => until - performance.now();
  let failure = new AntiphonError("timed_out", "there was no time to resume", { fatal: true });
  for (let number = 0; number < TRIES; number += 1) {
    await waitBefore(number, timings, signal);
    if (left() <= 0) break;
    try {
      await attempt(Math.min(timings.tryMs, left()));
      return;
    } catch (thrown) {
      signal.throwIfAborted();
      failure = asAntiphonError(thrown, "connection_lost", "the session was not resumed");
      if (isTerminal(failure)) break;
    }
  }
  throw failure;
}

/**
 * @param {number} number
 * @param {Readonly<Timings>} timings
 * @param {AbortSignal} signal
 */
async function waitBefore(number, timings, signal) {
  const isOffline = globalThis.navigator?.onLine === false;
  // Without a network a try is lost at once; there may be one again any moment.
  if (isOffline) await pause(timings.longestDelayMs, signal, "online");
  else await pause(Math.random() * longestDelay(number, timings), signal);
}
