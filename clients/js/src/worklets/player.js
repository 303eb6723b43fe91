/**
 * The AudioWorklet behind `Player`: plays what it is given, and reports.
 *
 * @typedef {{ do: "play", pcm: ArrayBuffer, id: number } | { do: "end", id: number }
 *   | { do: "flush" | "close" }} Order
 * @typedef {{
 *   id: number, playedMs: number, at: number, level: number, underruns: number,
 *   waitingMs: number, targetMs: number, isDrained: boolean, orders: number,
 * }} Report `id` of the reply whose sound was played last; `at` in seconds of the context;
 *   `orders` that were carried out
 */

import { RATE, fromPcm } from "../audio/pcm.js";
import { Playout } from "../audio/playout.js";
import { scope } from "../audio/worklet_scope.js";

/** A report this often while there is sound. */
const REPORT_SECONDS = 0.02;

class AntiphonPlayer extends scope.AudioWorkletProcessor {
  #playout = new Playout(scope.sampleRate);
  #isOpen = true;
  #reportedAt = 0;
  #isQuiet = true;
  /** @type {Report} one for all: a message is a copy */
  #report = {
    id: -1, playedMs: 0, at: 0, level: 0, underruns: 0,
    waitingMs: 0, targetMs: 0, isDrained: true, orders: 0,
  };

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#obey(data);
  }

  /**
   * @param {Float32Array[][]} _inputs
   * @param {Float32Array[][]} outputs
   */
  process(_inputs, outputs) {
    const block = outputs[0]?.[0];
    if (!block || !this.#isOpen) return this.#isOpen;
    this.#playout.render(block);
    this.#tell(scope.currentTime + block.length / scope.sampleRate);
    return true;
  }

  /** @param {Order} order */
  #obey(order) {
    const { buffer } = this.#playout;
    this.#report.orders += 1;
    this.#isQuiet = false;
    if (order.do === "play") buffer.push(fromPcm(new Uint8Array(order.pcm)), order.id);
    if (order.do === "end") buffer.end(order.id);
    if (order.do === "flush") buffer.flush();
    if (order.do === "close") this.#isOpen = false;
  }

  /** @param {number} now */
  #tell(now) {
    if (this.#isQuiet || now - this.#reportedAt < REPORT_SECONDS) return;
    const { buffer, level } = this.#playout;
    const report = this.#report;
    report.id = buffer.playing;
    report.playedMs = (buffer.played / RATE) * 1000;
    report.at = now;
    report.level = level;
    report.underruns = buffer.underruns;
    report.waitingMs = buffer.waitingMs;
    report.targetMs = buffer.targetMs;
    report.isDrained = buffer.isDrained;
    this.#reportedAt = now;
    // The last report says that it is over, and silent.
    this.#isQuiet = report.isDrained && level === 0;
    this.port.postMessage(report);
  }
}

scope.registerProcessor("antiphon-player", AntiphonPlayer);
