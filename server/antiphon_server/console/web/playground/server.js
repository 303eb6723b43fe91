/** What the page asks of the server's REST API. */

import { ApiError, api } from "../shared/api.js";

/**
 * @typedef {object} Me
 * @property {boolean} development no keys: nobody has to sign in
 * @property {string} version
 * @property {string[]} scopes
 * @property {Record<string, any>} [defaults]
 */

/** Seconds in which a token may open a socket; a new one is asked for each time. */
const TOKEN_SECONDS = 60;

/**
 * Who is signed in; null where a key is needed first.
 *
 * @returns {Promise<Me | null>}
 */
export async function whoAmI() {
  try {
    return await api("/v1/console/me");
  } catch (error) {
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) return null;
    throw error;
  }
}

/** @returns {Promise<{id: string, name: string}[]>} */
export async function voices() {
  return (await api("/v1/voices")).voices;
}

/** @returns {Promise<{id: string, name: string}[]>} */
export async function agents() {
  return (await api("/v1/agents", { query: { limit: 200 } })).agents;
}

/**
 * @param {string} id
 * @returns {Promise<any>}
 */
export async function agent(id) {
  return await api(`/v1/agents/${encodeURIComponent(id)}`);
}

/**
 * A token for one socket; null where the server needs none.
 *
 * @param {Me | null} me
 * @returns {Promise<string | null>}
 */
export async function token(me) {
  if (me?.development) return null;
  return (await api("/v1/token", { query: { expires_in_seconds: TOKEN_SECONDS } })).token;
}

/** The address of the socket. */
export function socketAddress() {
  const address = new URL("/v1/ws", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}
