/** Moments as short as a table wants them. */

import { h } from "../shared/dom.js";
import { exactDate, NOTHING } from "../shared/format.js";

const THIS_YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const ANOTHER = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const DAY_SECONDS = 86_400;
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

/**
 * A moment, with the whole of it as its title.
 *
 * @param {string | null | undefined} value
 */
export function when(value) {
  if (!value) return NOTHING;
  const at = new Date(value);
  const now = new Date().getFullYear();
  return h("time", { datetime: value, title: exactDate(value) }, (at.getFullYear() === now ? THIS_YEAR : ANOTHER).format(at));
}

/**
 * Places on an axis of so many seconds, from Unix seconds.
 *
 * @param {number} span
 * @returns {(at: number) => string}
 */
export function axis(span) {
  return (at) => {
    const moment = new Date(at * 1000);
    if (span > 2 * DAY_SECONDS) return DAY.format(moment);
    // Midnight is where the day changes: that is what it says.
    return moment.getHours() === 0 && moment.getMinutes() === 0 ? DAY.format(moment) : CLOCK.format(moment);
  };
}

/**
 * The same, as exact as it is worth beside a value.
 *
 * @param {number} at Unix seconds
 */
export const exactly = (at) => THIS_YEAR.format(new Date(at * 1000));
