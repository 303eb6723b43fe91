/** Waiting for one event of a session. */

/** @import { SessionEventMap, WaitOptions } from "../types/index.js" */
/** @import { Session } from "./session.js" */

import { AntiphonError } from "./errors.js";

/**
 * The detail of the next such event, for which `where` holds; leaves neither timer nor listener.
 *
 * @template {keyof SessionEventMap} K
 * @param {Session} session
 * @param {K} type
 * @param {WaitOptions<K>} options
 * @returns {Promise<SessionEventMap[K]["detail"]>}
 */
export function waitFor(session, type, { timeoutMs, where = () => true }) {
  if (session.state === "ended") return Promise.reject(over(session, type));
  return new Promise((resolve, reject) => {
    const stop = new AbortController();
    const { signal } = stop;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    signal.addEventListener("abort", () => clearTimeout(timer));
    session.addEventListener(
      type,
      ({ detail }) => {
        try {
          if (!where(detail)) return;
          resolve(detail);
        } catch (thrown) {
          reject(thrown);
        }
        stop.abort();
      },
      { signal },
    );
    session.addEventListener(
      "state",
      ({ detail }) => {
        if (detail !== "ended") return;
        reject(over(session, type));
        stop.abort();
      },
      { signal },
    );
    if (timeoutMs === undefined) return;
    timer = setTimeout(() => {
      reject(new AntiphonError("timed_out", `no "${type}" within ${timeoutMs} ms`));
      stop.abort();
    }, timeoutMs);
  });
}

/**
 * @param {Session} session
 * @param {string} type
 */
function over(session, type) {
  if (session.failure) return session.failure;
  return new AntiphonError("session_over", `the session was over before "${type}"`);
}
