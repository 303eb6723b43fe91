/** Both sides' sound as it goes by: the user's above the line, the agent's below it. */

import { colour } from "../shared/theme.js";

/** Pixels of the page for each bar, with the gap. */
const STEP = 6;
const BAR = 3;
/** Milliseconds that one bar stands for. */
const EACH_MS = 50;

export class Meters {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => {user: number, agent: number}} read levels, 0 to 1
   */
  constructor(canvas, read) {
    this._canvas = canvas;
    this._read = read;
    /** @type {{user: number, agent: number}[]} newest last */
    this._bars = [];
    this._frame = 0;
    this._taken = 0;
    this._now = { user: 0, agent: 0 };
    this._running = false;
    this._still = window.matchMedia("(prefers-reduced-motion: reduce)");
    this._colours = { user: "", agent: "", line: "" };
    document.addEventListener("visibilitychange", () => this._go());
    window.addEventListener("theme", () => this._paint());
    window
      .matchMedia("(prefers-color-scheme: dark)")
      .addEventListener("change", () => this._paint());
    new ResizeObserver(() => this._size()).observe(canvas);
    this._paint();
  }

  start() {
    this._bars = [];
    this._running = true;
    this._go();
  }

  stop() {
    this._running = false;
    cancelAnimationFrame(this._frame);
    this._frame = 0;
    this._bars = [];
    this._draw(0);
  }

  /** Draws while there is a call and somebody can see it. */
  _go() {
    cancelAnimationFrame(this._frame);
    this._frame = 0;
    if (!this._running || document.hidden) return;
    const tick = (/** @type {number} */ now) => {
      this._take(now);
      this._draw(Math.min(1, (now - this._taken) / EACH_MS));
      this._frame = requestAnimationFrame(tick);
    };
    this._frame = requestAnimationFrame(tick);
  }

  /** @param {number} now ms */
  _take(now) {
    const { user, agent } = this._read();
    this._now = { user: Math.max(this._now.user, user), agent: Math.max(this._now.agent, agent) };
    if (now - this._taken < EACH_MS) return;
    this._taken = now - this._taken > 4 * EACH_MS ? now : this._taken + EACH_MS;
    this._bars.push(this._now);
    this._now = { user: 0, agent: 0 };
    const most = Math.ceil(this._canvas.clientWidth / STEP) + 2;
    if (this._bars.length > most) this._bars.splice(0, this._bars.length - most);
  }

  _paint() {
    this._colours = { user: colour("--user"), agent: colour("--agent"), line: colour("--line") };
    this._draw(0);
  }

  _size() {
    const scale = window.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this._canvas;
    this._canvas.width = Math.round(clientWidth * scale);
    this._canvas.height = Math.round(clientHeight * scale);
    this._draw(0);
  }

  /** @param {number} part of the next bar's time that went by */
  _draw(part) {
    const context = this._canvas.getContext("2d");
    if (!context) return;
    const scale = window.devicePixelRatio || 1;
    const { width, height } = this._canvas;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.scale(scale, scale);
    const wide = width / scale;
    const middle = height / scale / 2;
    context.fillStyle = this._colours.line;
    context.fillRect(0, middle - 0.5, wide, 1);
    if (this._still.matches) this._drawStill(context, wide, middle);
    else this._drawMoving(context, wide, middle, part);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} wide
   * @param {number} middle
   * @param {number} part
   */
  _drawMoving(context, wide, middle, part) {
    const last = this._bars.length - 1;
    for (let index = last; index >= 0; index -= 1) {
      const bar = /** @type {{user: number, agent: number}} */ (this._bars[index]);
      const x = wide - (last - index + 1 + part) * STEP;
      context.globalAlpha = Math.min(1, Math.max(0, x / 64));
      this._bar(context, this._colours.user, x, middle, -loud(bar.user) * (middle - 4));
      this._bar(context, this._colours.agent, x, middle, loud(bar.agent) * (middle - 4));
    }
    context.globalAlpha = 1;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {string} fill
   * @param {number} x
   * @param {number} middle
   * @param {number} height
   */
  _bar(context, fill, x, middle, height) {
    if (Math.abs(height) < 1) return;
    context.fillStyle = fill;
    context.beginPath();
    context.roundRect(x, middle + Math.sign(height), BAR, height, BAR / 2);
    context.fill();
  }

  /**
   * For who does not want things to move: two levels that grow in place.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {number} wide
   * @param {number} middle
   */
  _drawStill(context, wide, middle) {
    const bar = this._bars.at(-1) ?? { user: 0, agent: 0 };
    context.fillStyle = this._colours.user;
    context.fillRect(0, middle - 11, wide * loud(bar.user), 8);
    context.fillStyle = this._colours.agent;
    context.fillRect(0, middle + 3, wide * loud(bar.agent), 8);
  }
}

/**
 * How high a bar is for a level: a whisper can be seen, a shout fits.
 *
 * @param {number} level
 */
const loud = (level) => Math.min(1, Math.sqrt(Math.max(0, level)) * 1.6);
