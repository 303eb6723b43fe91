/** Where a voice agent server answers: any address a person would type, as a socket's URL. */

import { AntiphonError } from "./errors.js";

const PATH = "/v1/ws";

/** @type {Record<string, string>} */
const SCHEMES = { "http:": "ws:", "https:": "wss:", "ws:": "ws:", "wss:": "wss:" };

/**
 * The address of the socket (protocol section 1.1). A query is kept.
 *
 * Throws an `AntiphonError` of code `invalid_options` for what is no such address.
 *
 * @param {string | URL | undefined} url http, https, ws or wss, with or without `/v1/ws`; in a
 *     browser also relative to the page, and by default the page's own server.
 * @param {{ timeline: boolean }} options
 * @returns {URL}
 */
export function socketUrl(url, { timeline }) {
  const page = globalThis.location?.href;
  const given = url ?? page;
  const address = given === undefined ? null : parsed(given, page);
  const scheme = address ? SCHEMES[address.protocol] : undefined;
  if (!address || !scheme) {
    const example = "write it like ws://127.0.0.1:8400";
    const what = given === undefined ? "no address is given" : `"${given}" is no server's address`;
    throw new AntiphonError("invalid_options", `${what}: ${example}`, { param: "url" });
  }
  // A URL's protocol cannot be changed in all engines from http to ws; its text can.
  const socket = new URL(scheme + address.href.slice(address.protocol.length));
  if (url === undefined) {
    socket.pathname = PATH;
    socket.search = "";
  }
  const path = socket.pathname.replace(/\/+$/, "");
  socket.pathname = path === "" || path === "/v1" ? PATH : path;
  socket.hash = "";
  if (timeline) socket.searchParams.set("timeline", "1");
  return socket;
}

/**
 * @param {string | URL} given
 * @param {string | undefined} page
 */
function parsed(given, page) {
  try {
    return new URL(given, page);
  } catch {
    return null;
  }
}

/**
 * The same address with this credential, or without any.
 *
 * @param {URL} address
 * @param {string | null} token
 * @returns {string}
 */
export function withToken(address, token) {
  const url = new URL(address);
  if (token) url.searchParams.set("token", token);
  return url.href;
}

/**
 * The same address without any credential, as it may be shown or called again.
 *
 * @param {URL} address
 * @returns {URL}
 */
export function withoutToken(address) {
  const url = new URL(address);
  url.searchParams.delete("token");
  url.username = "";
  url.password = "";
  return url;
}
