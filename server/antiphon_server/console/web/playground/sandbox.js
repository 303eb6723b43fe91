/**
 * Runs a tool's JavaScript where it can do nothing but compute: in a worker inside a frame that
 * has an origin of its own and no network (`/playground-sandbox`, its Content-Security-Policy).
 * This page forbids evaluation, and goes on doing so.
 */

import { h } from "../shared/dom.js";

const ADDRESS = "/playground-sandbox";
const READY_MS = 10_000;

/**
 * @typedef {object} Outcome
 * @property {boolean} failed
 * @property {string} result text; JSON unless the code returned text
 * @property {string[]} logs what the code wrote with `console.log`
 */

/** @type {Promise<HTMLIFrameElement> | undefined} */
let opening;
let count = 0;

/**
 * Runs the body of an async function with one parameter, `args`.
 *
 * Never rejects: what is thrown, and code that takes longer than `milliseconds`, is an outcome.
 *
 * @param {string} code
 * @param {Record<string, unknown>} args
 * @param {number} milliseconds
 * @returns {Promise<Outcome>}
 */
export async function runCode(code, args, milliseconds) {
  let frame;
  try {
    opening ??= open();
    frame = await opening;
  } catch (error) {
    opening = undefined;
    return {
      failed: true,
      result: error instanceof Error ? error.message : String(error),
      logs: [],
    };
  }
  count += 1;
  const id = count;
  const channel = new MessageChannel();
  return new Promise((resolve) => {
    const late = setTimeout(
      () => done({ failed: true, result: "The sandbox does not answer.", logs: [] }),
      milliseconds + 2000,
    );
    const done = (/** @type {Outcome} */ outcome) => {
      clearTimeout(late);
      channel.port1.close();
      resolve(outcome);
    };
    channel.port1.onmessage = ({ data }) => done(outcomeOf(data));
    frame.contentWindow?.postMessage({ id, code, args, milliseconds }, "*", [channel.port2]);
  });
}

/**
 * What came from the frame, none of it taken on trust.
 *
 * @param {any} data
 * @returns {Outcome}
 */
function outcomeOf(data) {
  return {
    failed: data?.failed !== false,
    result: typeof data?.result === "string" ? data.result : "The code gave no result.",
    logs: Array.isArray(data?.logs) ? data.logs.slice(0, 50).map(String) : [],
  };
}

/** @returns {Promise<HTMLIFrameElement>} */
function open() {
  return new Promise((resolve, reject) => {
    const frame = h("iframe", {
      src: ADDRESS,
      sandbox: "allow-scripts",
      hidden: "",
      title: "Where the JavaScript of tools runs",
      "aria-hidden": "true",
    });
    const limit = setTimeout(() => {
      frame.remove();
      reject(new Error("The sandbox for JavaScript did not open. Reload the page."));
    }, READY_MS);
    window.addEventListener("message", function heard(event) {
      if (event.source !== frame.contentWindow || event.data !== "ready") return;
      window.removeEventListener("message", heard);
      clearTimeout(limit);
      resolve(frame);
    });
    document.body.append(frame);
  });
}
