/** Every message of the call as it was on the wire: to read, filter, copy and keep. */

import { copy, h } from "../shared/dom.js";
import { clip, number, plural, seen } from "../shared/format.js";

/** Messages kept; the oldest go first. */
const MOST_KEPT = 5000;
/** Rows on the page at a time. */
const MOST_SHOWN = 300;
const MOST_OF_ONE = 600;

/** @typedef {{at: number, out: boolean, message: Record<string, any>, text: string}} Entry */

export class EventsLog {
  /**
   * @param {object} parts
   * @param {HTMLElement} parts.list an `ol`
   * @param {HTMLInputElement} parts.filter
   * @param {HTMLInputElement} parts.audio whether sound is shown
   * @param {HTMLElement} parts.count
   */
  constructor(parts) {
    this._parts = parts;
    /** @type {Entry[]} */
    this._entries = [];
    this._dropped = 0;
    this._began = 0;
    this._due = 0;
    this.isOpen = false;
    parts.filter.addEventListener("input", () => this.draw());
    parts.audio.addEventListener("change", () => this.draw());
  }

  clear() {
    this._entries = [];
    this._dropped = 0;
    this._began = 0;
    this.draw();
  }

  /**
   * Keeps a message; of sound only its size.
   *
   * @param {Record<string, any>} message
   * @param {boolean} out whether it was sent from here
   */
  add(message, out) {
    const now = performance.now();
    if (!this._entries.length) this._began = now;
    const kept = silent(message);
    this._entries.push({ at: now - this._began, out, message: kept, text: JSON.stringify(kept) });
    if (this._entries.length > MOST_KEPT) {
      this._entries.shift();
      this._dropped += 1;
    }
    if (this.isOpen && !this._due) {
      this._due = requestAnimationFrame(() => {
        this._due = 0;
        this.draw();
      });
    }
  }

  /** Draws the newest that match. */
  draw() {
    if (!this.isOpen) return;
    const found = this._found();
    const shown = found.slice(-MOST_SHOWN).reverse();
    this._parts.list.replaceChildren(...shown.map(row));
    const left = found.length - shown.length;
    const parts = [plural(found.length, "message")];
    if (left > 0) parts.push(`the newest ${number(shown.length)} shown`);
    if (this._dropped) parts.push(`${number(this._dropped)} older ones dropped`);
    this._parts.count.textContent = parts.join(", ");
  }

  /** @returns {Promise<void>} */
  async copy() {
    await copy(this._lines(), "Copied as JSON lines");
  }

  /** @param {string} name of the file */
  download(name) {
    const link = h("a", {
      download: name,
      href: URL.createObjectURL(new Blob([this._lines()], { type: "application/x-ndjson" })),
    });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  /** @returns {string} */
  _lines() {
    return this._found()
      .map(({ at, out, message }) =>
        JSON.stringify({ at_ms: Math.round(at), from: out ? "client" : "server", message }),
      )
      .map((line) => `${line}\n`)
      .join("");
  }

  /** @returns {Entry[]} */
  _found() {
    const wanted = this._parts.filter.value.trim().toLowerCase();
    const audio = this._parts.audio.checked;
    return this._entries.filter(
      ({ message, text }) =>
        (audio || !isAudio(message)) && (!wanted || text.toLowerCase().includes(wanted)),
    );
  }
}

/** @param {Record<string, any>} message */
const isAudio = (message) => message.type === "input.audio" || message.type === "reply.audio";

/**
 * @param {Record<string, any>} message
 * @returns {Record<string, any>}
 */
function silent(message) {
  const key = message.type === "input.audio" ? "audio" : "data";
  if (!isAudio(message) || typeof message[key] !== "string") return message;
  return { ...message, [key]: `(${number(Math.floor((message[key].length * 3) / 4))} bytes)` };
}

/**
 * @param {Entry} entry
 * @returns {HTMLElement}
 */
function row({ at, out, message, text }) {
  return h(
    "li",
    { class: out ? "event out" : "event in" },
    h("span", { class: "number soft" }, (at / 1000).toFixed(2)),
    h("span", { class: `badge plain ${out ? "user" : "agent"}` }, out ? "sent" : "received"),
    h("code", { class: "event-type" }, seen(clip(String(message.type ?? ""), 60))),
    h("code", { class: "said event-body" }, seen(clip(text, MOST_OF_ONE))),
  );
}
