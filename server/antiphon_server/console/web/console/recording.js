/** The recording of a call: both voices, one above the other, by wavesurfer.js. */

import WaveSurfer from "wavesurfer.js";

import { fill, h, icon } from "../shared/dom.js";
import { position } from "../shared/format.js";
import { colour } from "../shared/theme.js";
import { local } from "./call_files.js";
import { nothing } from "./load.js";
import { me } from "./me.js";

/** Longer ones are played without a picture of them: decoding one takes 60 MB for half an hour. */
const DRAWN_SECONDS = 3600;
const SPEEDS = [1, 1.5, 2, 0.75];
const STEP_SECONDS = 5;

/**
 * @typedef {object} Player
 * @property {HTMLElement} element
 * @property {boolean} plays whether there is a recording
 * @property {(ms: number) => void} seek goes there and plays
 * @property {(heard: (ms: number, playing: boolean) => void) => void} follow tells where it is
 */

/**
 * @param {any} call
 * @param {AbortSignal} signal
 * @returns {Player}
 */
export function recording(call, signal) {
  const audio = call.artifacts.find((/** @type {any} */ one) => one.type === "audio");
  if (!audio) return silent(call);
  const media = h("audio", { preload: "metadata", src: local(audio.url) });
  /** @type {((ms: number, playing: boolean) => void)[]} */
  const followers = [];
  const tell = () => {
    for (const one of followers) one(media.currentTime * 1000, !media.paused);
  };
  const picture = h("div", { class: "wave" });
  const element = h("section", { class: "card snug player", "aria-label": "Recording" }, controls(media, call.session), picture);
  const seek = (/** @type {number} */ at) => {
    media.currentTime = Math.max(0, at / 1000);
    void media.play().catch(() => {});
  };
  media.addEventListener("seeking", tell);
  media.addEventListener("pause", tell);
  media.addEventListener("play", () => {
    const frame = () => {
      tell();
      if (!media.paused && !signal.aborted) requestAnimationFrame(frame);
    };
    frame();
  });
  media.addEventListener("error", () => fill(picture, unplayable(audio.url)), { once: true });
  signal.addEventListener("abort", () => {
    media.pause();
    media.removeAttribute("src");
    media.load();
  });
  if ((call.session.duration_seconds ?? 0) <= DRAWN_SECONDS) {
    // After the page: the wave wants the width of its place.
    requestAnimationFrame(() => !signal.aborted && drawn(picture, media, signal));
  } else {
    fill(picture, h("p", { class: "soft small" }, "This call is longer than an hour, so its wave is not drawn. It plays all the same."));
  }
  return { element, plays: true, seek, follow: (heard) => followers.push(heard) };
}

/**
 * @param {HTMLElement} where
 * @param {HTMLMediaElement} media
 * @param {AbortSignal} signal
 */
function drawn(where, media, signal) {
  // Out of the page, its own style element is never looked at, which the pages' policy forbids.
  const place = h("div");
  const voice = (/** @type {string} */ name) => ({ waveColor: colour(`${name}-wave`), progressColor: colour(name), overlay: false });
  const wave = WaveSurfer.create({
    container: place,
    media,
    height: 44,
    barWidth: 2,
    barGap: 1,
    barRadius: 1,
    normalize: true,
    dragToSeek: true,
    cursorColor: colour("--ink"),
    cursorWidth: 2,
    splitChannels: [voice("--user"), voice("--agent")],
  });
  adopted(wave.getWrapper().getRootNode());
  const names = h("div", { class: "voices small" }, h("span", { class: "user" }, "User"), h("span", { class: "agent" }, "Agent"));
  const waits = h("div", { class: "skeleton wave-bones" });
  fill(where, names, h("div", { class: "waves" }, waits, place));
  wave.on("ready", () => waits.remove());
  wave.on("error", () => {
    waits.remove();
    if (!where.querySelector(".notice") && !media.error) fill(where, h("p", { class: "soft small" }, "The wave could not be drawn. The recording plays all the same."));
  });
  const repaint = () => wave.setOptions({ cursorColor: colour("--ink"), splitChannels: [voice("--user"), voice("--agent")] });
  window.addEventListener("theme", repaint, { signal });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint, { signal });
  signal.addEventListener("abort", () => wave.destroy());
}

/**
 * Gives a shadow tree its own style in the way that needs no style element.
 *
 * @param {Node} root
 */
function adopted(root) {
  if (!(root instanceof ShadowRoot)) return;
  const written = root.querySelector("style");
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(written?.textContent ?? "");
  written?.remove();
  root.adoptedStyleSheets = [sheet];
}

/**
 * @param {HTMLMediaElement} media
 * @param {any} session
 */
function controls(media, session) {
  const whole = () => (Number.isFinite(media.duration) ? media.duration : (session.duration_seconds ?? 0));
  const play = h("button", { type: "button", class: "button primary icon", "aria-label": "Play" }, icon("play"));
  const time = h("span", { class: "number small time" });
  const bar = h("input", { type: "range", min: "0", max: "1000", step: "1", value: "0", "aria-label": "Place in the recording", class: "grow" });
  const speed = h("button", { type: "button", class: "button quiet", title: "Speed" }, "1×");
  const draw = () => {
    time.textContent = `${position(media.currentTime * 1000)} / ${position(whole() * 1000)}`;
    if (document.activeElement !== bar || !media.paused) bar.value = String(Math.round((1000 * media.currentTime) / (whole() || 1)));
    bar.setAttribute("aria-valuetext", time.textContent);
  };
  play.addEventListener("click", () => void (media.paused ? media.play().catch(() => {}) : media.pause()));
  for (const one of ["play", "pause"]) {
    media.addEventListener(one, () => {
      fill(play, icon(media.paused ? "play" : "pause"));
      play.setAttribute("aria-label", media.paused ? "Play" : "Pause");
    });
  }
  for (const one of ["timeupdate", "seeking", "loadedmetadata", "durationchange"]) media.addEventListener(one, draw);
  bar.addEventListener("input", () => (media.currentTime = (Number(bar.value) / 1000) * whole()));
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: STEP_SECONDS, ArrowUp: STEP_SECONDS, ArrowLeft: -STEP_SECONDS, ArrowDown: -STEP_SECONDS }[event.key];
    if (!step) return;
    event.preventDefault();
    media.currentTime = Math.min(whole(), Math.max(0, media.currentTime + step));
  });
  speed.addEventListener("click", () => {
    media.playbackRate = SPEEDS[(SPEEDS.indexOf(media.playbackRate) + 1) % SPEEDS.length] ?? 1;
    speed.textContent = `${media.playbackRate}×`;
    speed.setAttribute("aria-label", `Speed ${media.playbackRate}`);
  });
  draw();
  return h("div", { class: "row controls" }, play, time, bar, speed);
}

/** @param {any} call @returns {Player} */
function silent(call) {
  const why =
    call.session.status === "created"
      ? "The recording is here when the call is over."
      : me()?.recording
        ? "This call was not recorded, or its recording is gone."
        : "Calls are not recorded on this server. ANTIPHON_RECORDING=true records them; ask your callers first.";
  return {
    element: h("p", { class: "card snug soft small row" }, icon("muted"), h("span", { class: "grow" }, why)),
    plays: false,
    seek: () => {},
    follow: () => {},
  };
}

/** @param {string} url */
function unplayable(url) {
  return h("div", null, nothing("warning", "The recording cannot be played here", h("p", null, "The browser cannot reach it, or does not know its format, or the link is older than an hour: load the page again."), h("a", { class: "button", href: local(url), target: "_blank", rel: "noopener", download: "" }, icon("download"), "Download it")));
}
