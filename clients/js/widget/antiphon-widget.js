/**
 * A talk button for any page:
 *
 *     <script type="module" src="https://HOST/assets/antiphon-widget.js"></script>
 *     <antiphon-agent url="wss://HOST/v1/ws" token-url="/my/token" agent-id="..."></antiphon-agent>
 *
 * Attributes: `url` (by default the server that the page came from), `token-url` (answers with
 * `{"token": "..."}`), `agent-id`, `label` (of the button), and `transcript` (show the words).
 * Property `options`: whatever else `VoiceAgent` takes. `start()` and `stop()` do what the button
 * does; an event "antiphon-state" says how things stand. Colours: see parts/style.js.
 */

import { AntiphonError, tokenFrom, VoiceAgent } from "../src/index.js";
import { element, parts } from "./parts/elements.js";
import { STYLE } from "./parts/style.js";

/** @import { Turn, VoiceAgentOptions } from "../types/index.js" */

/** @typedef {"idle" | "connecting" | "listening" | "speaking" | "error"} State */

/** What it says; replace them for another language: `AntiphonAgent.words.talk = "Sprechen"`. */
const WORDS = {
  talk: "Talk",
  hangUp: "Hang up",
  again: "Try again",
  mute: "Mute microphone",
  idle: "",
  connecting: "Connecting",
  reconnecting: "Connection lost, coming back",
  listening: "Listening",
  muted: "Muted",
  speaking: "Speaking",
  blocked: "Click anywhere to hear the agent",
  user: "You",
  agent: "Agent",
  transcript: "Transcript",
  interrupted: "(interrupted)",
};

const SHEET = typeof CSSStyleSheet === "undefined" ? null : new CSSStyleSheet();
SHEET?.replaceSync(STYLE);

/** Node has no elements; there the module can be imported all the same. */
const Base = typeof HTMLElement === "undefined" ? /** @type {any} */ (class {}) : HTMLElement;

export class AntiphonAgent extends /** @type {typeof HTMLElement} */ (Base) {
  static words = WORDS;
  static observedAttributes = ["label", "transcript"];

  /** @type {VoiceAgentOptions} */
  options = {};
  /** @type {VoiceAgent | null} */
  #agent = null;
  /** @type {State} */
  #state = "idle";
  #frame = 0;
  #level = 0;
  #parts = parts(WORDS);
  /** @type {Map<Turn, HTMLElement>} */
  #lines = new Map();

  constructor() {
    super();
    const { box, talk, mute } = this.#parts;
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    if (SHEET) root.adoptedStyleSheets = [SHEET];
    root.append(box);
    talk.addEventListener("click", () => void (this.#agent ? this.stop() : this.start()));
    mute.addEventListener("click", () => this.#mute(mute.getAttribute("aria-pressed") !== "true"));
  }

  connectedCallback() {
    this.#show("idle");
  }

  disconnectedCallback() {
    void this.stop();
  }

  attributeChangedCallback() {
    this.#show(this.#state);
  }

  /** @returns {State} */
  get state() {
    return this.#state;
  }

  /** The call, while there is one. */
  get agent() {
    return this.#agent;
  }

  /** Calls; in a click. What goes wrong is shown. */
  async start() {
    if (this.#agent) return;
    this.#forget();
    this.#show("connecting");
    /** @type {VoiceAgent | null} */
    let agent = null;
    try {
      agent = new VoiceAgent(this.#wanted());
      this.#agent = agent;
      this.#listen(agent);
      await agent.start();
      // One that cannot start ends as well, and then says why.
      this.#untilItEnds(agent);
    } catch (error) {
      if (this.#agent === agent) this.#fail(error);
    }
  }

  /** Hangs up. */
  async stop() {
    const agent = this.#agent;
    this.#agent = null;
    if (this.#state !== "idle") this.#show("idle");
    await agent?.stop();
  }

  /** @returns {VoiceAgentOptions} */
  #wanted() {
    const url = this.getAttribute("url");
    const tokenUrl = this.getAttribute("token-url");
    const agentId = this.getAttribute("agent-id");
    return {
      ...(url ? { url } : {}),
      ...(tokenUrl ? { getToken: tokenFrom(new URL(tokenUrl, document.baseURI)) } : {}),
      ...this.options,
      session: { ...(agentId ? { agent_id: agentId } : {}), ...this.options.session },
    };
  }

  // --- what happens ------------------------------------------------------------------------

  /** @param {VoiceAgent} agent */
  #listen(agent) {
    const isCurrent = () => this.#agent === agent;
    agent.addEventListener("turn", ({ detail }) => isCurrent() && this.#write(detail));
    agent.addEventListener("started", () => isCurrent() && this.#show("speaking"));
    for (const type of /** @type {const} */ (["drained", "unblocked"])) {
      agent.addEventListener(type, () => isCurrent() && this.#show("listening"));
    }
    agent.addEventListener("blocked", () => isCurrent() && this.#say(WORDS.blocked));
    agent.addEventListener("failed", ({ detail }) => isCurrent() && this.#fail(detail));
    agent.addEventListener("state", ({ detail }) => {
      if (!isCurrent()) return;
      if (detail === "reconnecting") this.#show("connecting", WORDS.reconnecting);
      if (detail === "ready") this.#show("listening");
    });
  }

  /** @param {VoiceAgent} agent */
  #untilItEnds(agent) {
    const leave = () => this.#agent === agent && void this.stop();
    if (agent.state === "ended") leave();
    agent.addEventListener("state", ({ detail }) => detail === "ended" && leave());
  }

  /** @param {unknown} error */
  #fail(error) {
    const agent = this.#agent;
    this.#agent = null;
    void agent?.stop();
    const text = error instanceof AntiphonError ? error.message : String(error);
    this.#show("error", text.charAt(0).toUpperCase() + text.slice(1));
  }

  /** @param {boolean} isMuted */
  #mute(isMuted) {
    this.#agent?.mute(isMuted);
    this.#parts.mute.setAttribute("aria-pressed", String(isMuted));
    if (this.#state === "listening") this.#show("listening");
  }

  // --- what is seen ------------------------------------------------------------------------

  /**
   * @param {State} state
   * @param {string} [words]
   */
  #show(state, words) {
    const { box, talk, label, mute, lines } = this.#parts;
    const isCalling = state !== "idle" && state !== "error";
    const hasChanged = state !== this.#state;
    this.#state = state;
    if (!isCalling) mute.setAttribute("aria-pressed", "false");
    const isMuted = mute.getAttribute("aria-pressed") === "true";
    box.dataset["state"] = state;
    talk.setAttribute("aria-pressed", String(isCalling));
    talk.setAttribute("aria-busy", String(state === "connecting"));
    const start = this.getAttribute("label") ?? WORDS.talk;
    label.textContent = isCalling ? WORDS.hangUp : state === "error" ? WORDS.again : start;
    mute.hidden = !isCalling;
    lines.hidden = !this.hasAttribute("transcript") || lines.childElementCount === 0;
    // What went wrong stays there.
    if (words !== undefined) this.#say(words);
    else if (state !== "error") this.#say(WORDS[isMuted && isCalling ? "muted" : state]);
    this.#animate(isCalling);
    if (!hasChanged) return;
    const told = { detail: state, bubbles: true, composed: true };
    this.dispatchEvent(new CustomEvent("antiphon-state", told));
  }

  /** @param {string} words */
  #say(words) {
    // A live region is read again when it is written again.
    if (this.#parts.status.textContent !== words) this.#parts.status.textContent = words;
  }

  /** @param {Turn} turn */
  #write(turn) {
    const { lines } = this.#parts;
    let line = this.#lines.get(turn);
    if (!line) {
      line = element("div", { class: `line ${turn.role}`, part: `line ${turn.role}` });
      line.append(element("b", {}, WORDS[turn.role]), element("span"));
      this.#lines.set(turn, line);
      lines.append(line);
    }
    const text = turn.isInterrupted ? `${turn.text} ${WORDS.interrupted}` : turn.text;
    /** @type {HTMLElement} */ (line.lastElementChild).textContent = text;
    line.classList.toggle("partial", !turn.isFinal);
    lines.hidden = !this.hasAttribute("transcript");
    lines.scrollTop = lines.scrollHeight;
  }

  #forget() {
    this.#lines.clear();
    this.#parts.lines.replaceChildren();
  }

  /** @param {boolean} isWanted */
  #animate(isWanted) {
    cancelAnimationFrame(this.#frame);
    this.#parts.box.style.setProperty("--level", "0");
    if (!isWanted) return;
    const tick = () => {
      const { microphone, player } = this.#agent ?? {};
      const level = Math.max(microphone?.level ?? 0, player?.level ?? 0);
      // Loudness is heard by its logarithm; a root is near enough for the eye.
      const shown = Math.round(Math.min(1, Math.sqrt(level) * 1.2) * 50) / 50;
      if (shown !== this.#level) this.#parts.box.style.setProperty("--level", String(shown));
      this.#level = shown;
      this.#frame = requestAnimationFrame(tick);
    };
    tick();
  }
}

// Twice on a page, or in a bundle and beside it, it is the same.
if (globalThis.customElements && !customElements.get("antiphon-agent")) {
  customElements.define("antiphon-agent", AntiphonAgent);
}
