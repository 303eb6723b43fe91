/** One call: the SDK's agent, or its session alone where nobody listens, for the page. */

import { Session, VoiceAgent } from "antiphon";
import { socketAddress, token } from "./server.js";

/** @typedef {{type: string} & Record<string, any>} Message */

/**
 * @typedef {object} Wanted
 * @property {import("./server.js").Me} me
 * @property {import("./settings.js").Settings} settings
 * @property {Record<string, any>} session the first `session.update`
 * @property {(message: Message) => void} heard of the server; and of ours `lost`, `resumed`,
 *   `blocked` (the browser wants a click before it makes sound) and `unblocked`
 * @property {(message: Message) => void} sent
 * @property {(error: unknown) => void} failed the call is over
 */

export class Call {
  /** @param {Wanted} wanted */
  constructor(wanted) {
    const { me, settings, session, heard } = wanted;
    const getToken = () => {
      // It is asked for once before each try.
      if (this._isLost) heard({ type: "lost", attempt: (this._tries += 1) });
      return token(me);
    };
    const options = { url: socketAddress(), getToken, session, timeline: true };
    const speaks = settings.mode === "speak";
    /** @type {VoiceAgent | null} */
    this._agent =
      settings.mode === "type_read"
        ? null
        : new VoiceAgent({
            ...options,
            microphone: speaks && {
              echoCancellation: settings.echoCancellation,
              noiseSuppression: settings.echoCancellation,
              autoGainControl: settings.echoCancellation,
              deviceId: settings.deviceId || undefined,
            },
          });
    /** @type {Session} */
    this._session = this._agent?.session ?? new Session(options);
    this._muted = false;
    this._isLost = false;
    this._tries = 0;
    this._listen(wanted);
  }

  /** @param {Wanted} wanted */
  _listen({ heard, sent, failed }) {
    const session = this._session;
    session.addEventListener("message", ({ detail }) => heard(/** @type {Message} */ (detail)));
    session.addEventListener("sent", ({ detail }) => sent(/** @type {any} */ (detail)));
    // The agent's own failures are those of its session, and of the microphone.
    const whole = /** @type {EventTarget} */ (this._agent ?? session);
    whole.addEventListener("failed", (event) => failed(/** @type {CustomEvent} */ (event).detail));
    for (const type of /** @type {const} */ (["blocked", "unblocked"])) {
      this._agent?.addEventListener(type, () => heard({ type }));
    }
    session.addEventListener("state", ({ detail }) => {
      if (detail === "reconnecting") {
        this._isLost = true;
        this._tries = 0;
        heard({ type: "lost", attempt: 0 });
      } else if (detail === "ready" && this._isLost) {
        this._isLost = false;
        heard({ type: "resumed" });
      }
    });
  }

  /** Asks for the microphone and connects. Rejects with what went wrong; then the call is over. */
  async start() {
    if (this._agent) await this._agent.start();
    else await this._session.connect();
  }

  /** Hangs up; says goodbye in the background. */
  stop() {
    const ending = this._agent ? this._agent.stop() : this._session.end();
    void Promise.resolve(ending).catch(() => {});
  }

  get muted() {
    return this._muted;
  }

  /** @param {boolean} muted */
  mute(muted) {
    this._muted = muted;
    this._agent?.mute(muted);
  }

  /** Loudness of both sides now, 0 to 1. */
  levels() {
    const { microphone, player } = this._agent ?? {};
    return { user: this._muted ? 0 : (microphone?.level ?? 0), agent: player?.level ?? 0 };
  }

  /**
   * Milliseconds of a reply that were heard; all of one that makes no sound.
   *
   * @param {string} reply
   */
  playedMs(reply) {
    return this._agent?.player?.playedMs(reply) ?? Infinity;
  }

  /** @param {Record<string, any>} change */
  update(change) {
    this._session.update(change);
  }

  /** @param {string} text */
  type(text) {
    this._session.addMessage(text);
    this._session.createReply();
  }

  /**
   * @param {string} callId
   * @param {string} result
   * @param {boolean} isError
   */
  answer(callId, result, isError) {
    this._session.giveToolResult(callId, result, { isError });
  }

  /**
   * Whether the server calls this tool itself.
   *
   * @param {string} name
   */
  isRunByServer(name) {
    const tools = this._session.config?.tools ?? [];
    return tools.some(
      (tool) => tool.name === name && tool.http !== null && tool.http !== undefined,
    );
  }
}
