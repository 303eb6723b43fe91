/** How the page looks in each phase of a call: the button, the words below it, what is hidden. */

import { byId, fill, h, icon } from "../shared/dom.js";
import { position } from "../shared/format.js";
import { isCall, isLive, WORDS, WORDS_TYPING } from "./phase.js";

/** @typedef {import("./phase.js").Phase} Phase */
/** @typedef {import("./settings.js").Mode} Mode */

/**
 * @typedef {object} Look
 * @property {Phase} phase
 * @property {Mode} mode
 * @property {boolean} isBlank nothing was said yet, and there is no call
 * @property {boolean} isLocked somebody has to sign in first
 * @property {boolean} isMuted
 */

/** What is said before a call. @type {Record<Mode, string>} */
const INVITATIONS = {
  speak: "Press the button and speak. You can interrupt at any time.",
  type_hear: "Press the button and type. The agent answers aloud.",
  type_read: "Press the button and type. The agent answers in writing.",
};

export class CallFace {
  constructor() {
    this._page = byId("playground", HTMLElement);
    this.button = byId("talk", HTMLButtonElement);
    this.mute = h("button", { class: "button", type: "button", hidden: "" });
    this._typed = byId("typed", HTMLInputElement);
    this._drawn = "";
    fill(byId("left-controls", HTMLElement), this.mute);
    fill(byId("send", HTMLButtonElement), icon("send"), "Send");
  }

  /** @param {Look} look */
  show(look) {
    const { phase, mode, isBlank, isLocked } = look;
    const live = isLive(phase);
    this._page.dataset.phase = isBlank ? "idle" : phase.name;
    this._page.dataset.mode = mode;
    this._page.toggleAttribute("data-live", isCall(phase));
    byId("hero", HTMLElement).hidden = !isBlank || isLocked;
    byId("hero-words", HTMLElement).textContent = INVITATIONS[mode];
    byId("script", HTMLElement).hidden = isBlank;
    byId("composer", HTMLElement).hidden = !live;
    this._typed.placeholder = mode === "speak" ? "Or type a message" : "Type a message";
    this.button.hidden = isLocked;
    this.mute.hidden = !live || mode !== "speak";
    this._draw(look);
    this._say(look);
  }

  /**
   * What changes by the second.
   *
   * @param {Phase} phase
   * @param {number} since ms that the call has been
   */
  tick(phase, since) {
    const { name, attempt } = phase;
    const lost = name === "reconnecting" && attempt > 0;
    const more = lost ? `attempt ${attempt}` : isLive(phase) ? position(since) : "";
    byId("state-more", HTMLElement).textContent = more;
  }

  /**
   * The buttons' pictures, drawn again only where they change: a press lasts across a drawing.
   *
   * @param {Look} look
   */
  _draw({ phase, mode, isBlank, isMuted }) {
    const calls = isCall(phase);
    const words = calls ? "Hang up" : isBlank ? "Talk" : "Talk again";
    const picture = calls ? "stop" : mode === "speak" ? "microphone" : "agent";
    const now = `${words} ${picture} ${isMuted}`;
    if (this._drawn === now) return;
    this._drawn = now;
    this.button.setAttribute("aria-label", words);
    fill(this.button, icon(picture));
    fill(this.mute, icon(isMuted ? "muted" : "microphone"), isMuted ? "Unmute" : "Mute");
  }

  /** @param {Look} look */
  _say({ phase, mode, isBlank, isMuted }) {
    const name = isBlank ? "idle" : phase.name;
    const line = byId("state-words", HTMLElement);
    const typing = mode === "speak" ? undefined : WORDS_TYPING[name];
    const words =
      isMuted && name === "listening"
        ? "Muted: the agent cannot hear you"
        : (typing ?? WORDS[name]);
    if (line.textContent !== words) line.textContent = words;
  }
}
