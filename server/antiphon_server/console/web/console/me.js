/** Who is signed in, and what the server is, as it told when the console began. */

/**
 * @typedef {object} Me
 * @property {string} account
 * @property {string | null} key_id
 * @property {string[]} scopes
 * @property {boolean} development nobody needs a key here
 * @property {string} version
 * @property {boolean} recording
 * @property {boolean} journals
 * @property {{providers?: Record<string, string>, voice?: string, [more: string]: unknown}} [defaults]
 */

/** @type {Me | null} */
let known = null;

/** @returns {Me | null} */
export const me = () => known;

/** @param {Me | null} found */
export function setMe(found) {
  known = found && { ...found, scopes: found.scopes ?? [] };
}
