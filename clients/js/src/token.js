/** Credentials: a browser has temporary tokens only, minted by a server that has the key. */

/** @import { Token } from "../types/index.js" */

import { AntiphonError } from "./errors.js";

/**
 * Asks your own server for a token: `getToken: tokenFrom("/my/token")`. It answers with
 * `{"token": "..."}`, as `/v1/token` does.
 *
 * Rejects with an `AntiphonError` of code `token_failed`.
 *
 * @param {string | URL} url
 * @param {RequestInit} [init] As `fetch` takes it.
 * @returns {() => Promise<string>}
 */
export function tokenFrom(url, init) {
  return async () => {
    const answer = await fetch(url, { cache: "no-store", ...init }).catch((cause) => {
      throw failed(`${url} cannot be reached`, cause);
    });
    if (!answer.ok) throw failed(`${url} answered with HTTP ${answer.status}`);
    /** @type {unknown} */
    const body = await answer.json().catch(() => null);
    const token = tokenOf(/** @type {Token} */ (body));
    if (!token) throw failed(`${url} answered without a "token"`);
    return token;
  };
}

/**
 * The credential in what a `getToken` gave; null where there is none.
 *
 * @param {Token} given
 * @returns {string | null}
 */
export function tokenOf(given) {
  const token = typeof given === "object" && given !== null ? given.token : given;
  return typeof token === "string" && token !== "" ? token : null;
}

/**
 * @param {string} message
 * @param {unknown} [cause]
 */
function failed(message, cause) {
  return new AntiphonError("token_failed", message, { fatal: true, cause });
}
