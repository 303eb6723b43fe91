/** What the tests listen with. */

import { Session } from "../../../clients/js/src/session.js";

/** Tries follow each other at once; what is to fail by the clock says so itself. */
export const IMPATIENT = {
  connectMs: 20_000,
  tryMs: 5000,
  windowMs: 25_000,
  firstDelayMs: 1,
  longestDelayMs: 5,
  goodbyeMs: 20_000,
  keepaliveMs: 0,
};

/** A session, with everything that happens in it in `events` as [type, detail]. */
export function sessionAt(url, options = {}) {
  const { timings, ...rest } = options;
  const session = new Session({ url, ...rest, timings: { ...IMPATIENT, ...timings } });
  const events = [];
  for (const type of ["message", "state", "failed", "dropped", "tool.failed"]) {
    session.addEventListener(type, ({ detail }) => {
      events.push(type === "message" ? [detail.type, detail] : [type, detail]);
    });
  }
  const sent = [];
  session.addEventListener("sent", ({ detail }) => sent.push(detail));
  return { session, events, sent };
}

/** The types of events, without those of the beginning. */
export function typesOf(events) {
  return events.map(([type, detail]) => (type === "state" ? `state ${detail}` : type));
}

/** Resolves with the state, once the session is in it. */
export async function isIn(session, state) {
  if (session.state !== state) await session.waitFor("state", { where: (now) => now === state });
  return state;
}
