/** The call on the page: the button, the state, the conversation and its times. */

import { ApiError } from "../shared/api.js";
import { announce, byId, fill } from "../shared/dom.js";
import { Call } from "./call.js";
import { CallFace } from "./call_face.js";
import { Meters } from "./meters.js";
import { IDLE, isCall, isLive, next } from "./phase.js";
import { problemOf, problemOfReply, SILENCED } from "./problems.js";
import { showProblem } from "./problem_notice.js";
import { change, toSession } from "./session_of.js";
import { toolCard } from "./tool_cards.js";
import { Transcript } from "./transcript.js";
import { Turns } from "./turns.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./tools.js").Tool} Tool */
/** @typedef {import("./server.js").Me} Me */

/**
 * @typedef {object} Surroundings
 * @property {Settings} settings
 * @property {() => Tool[]} tools
 * @property {import("./events_log.js").EventsLog} log
 * @property {(found: MediaDeviceInfo[]) => void} microphones
 * @property {() => void} changed the call began, ended, or took a change
 * @property {() => void} signIn
 */

export class CallView {
  /** @param {Surroundings} around */
  constructor(around) {
    this._around = around;
    this._face = new CallFace();
    this._problem = byId("problem", HTMLElement);
    this._typed = byId("typed", HTMLInputElement);
    this._phase = IDLE;
    /** @type {Call | null} */
    this._call = null;
    /** @type {Me | null} */
    this._me = null;
    /** What the call has: settings and tools as they were when they were applied. */
    this._applied = { settings: around.settings, tools: /** @type {Tool[]} */ ([]) };
    this._began = 0;
    this._clock = 0;
    /** @type {import("./phase.js").PhaseName} */
    this._shown = "idle";
    this._wasLive = false;
    this._transcript = new Transcript(byId("lines", HTMLElement), {
      playedMs: (reply) => this._call?.playedMs(reply) ?? Infinity,
    });
    this._turns = new Turns(
      byId("turns", HTMLElement),
      byId("turns-summary", HTMLElement),
      byId("turns-empty", HTMLElement),
    );
    this._meters = new Meters(
      /** @type {HTMLCanvasElement} */ (byId("waves", HTMLCanvasElement)),
      () => this._call?.levels() ?? { user: 0, agent: 0 },
    );
    this._listen();
    this._show();
  }

  /**
   * Learns who is signed in, and says what is wrong where the server does not answer.
   *
   * @param {Promise<Me | null>} asked
   * @returns {Promise<Me | null>}
   */
  async meet(asked) {
    try {
      this._me = await asked;
    } catch (error) {
      // A server without the console's API takes calls all the same.
      if (!(error instanceof ApiError) || error.status !== 404) this._tell(error);
      this._me = /** @type {Me} */ ({ development: true, version: "", scopes: [] });
    }
    this._show();
    return this._me;
  }

  /** Nothing can be said until somebody has signed in. */
  close() {
    this._me = null;
    this._hangUp();
    this._show();
  }

  /**
   * What of the settings the call does not have yet; null while there is no call.
   *
   * @param {Settings} settings
   * @param {Tool[]} tools
   */
  changeOf(settings, tools) {
    if (!isCall(this._phase)) return null;
    return change(this._applied.settings, settings, this._applied.tools, tools);
  }

  /** The settings changed. */
  refresh() {
    this._show();
  }

  /** Gives the call what it can take of the settings. */
  apply() {
    const { settings, tools } = this._around;
    const found = this.changeOf(settings, tools());
    if (!found?.update || !this._call) return;
    this._call.update(found.update);
    const { agentId, mode, greeting, voice, deviceId, echoCancellation } = this._applied.settings;
    this._applied = {
      settings: {
        ...structuredClone(settings),
        agentId,
        mode,
        greeting,
        voice,
        deviceId,
        echoCancellation,
      },
      tools: tools(),
    };
    this._transcript.note("Settings changed");
    this._around.changed();
  }

  _listen() {
    this._face.button.addEventListener("click", () =>
      isCall(this._phase) ? this._hangUp() : void this._dial(),
    );
    this._face.mute.addEventListener("click", () => {
      this._call?.mute(!this._call.muted);
      this._show();
    });
    byId("composer", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this._type();
    });
    document.addEventListener("keydown", (event) => {
      const inDialog = document.querySelector("dialog[open]") !== null;
      if (event.key === "Escape" && !inDialog && isCall(this._phase)) this._hangUp();
    });
    window.addEventListener("hashchange", () => this._turns.show());
    window.addEventListener("pagehide", () => this._call?.stop());
  }

  /** @param {import("./settings.js").Mode} [mode] */
  async _dial(mode) {
    const { settings, tools, log } = this._around;
    if (!this._me) return this._around.signIn();
    if (mode) settings.mode = mode;
    this._applied = { settings: structuredClone(settings), tools: tools() };
    fill(this._problem);
    this._transcript.clear();
    this._turns.clear();
    log.clear();
    const call = new Call({
      me: this._me,
      settings: this._applied.settings,
      session: toSession(settings, this._applied.tools),
      heard: (message) => {
        if (this._call === call) this._take(message);
        else if (!this._call) log.add(message, false);
      },
      sent: (message) => log.add(message, true),
      failed: (error) => this._call === call && this._fail(error),
    });
    this._call = call;
    this._take({ type: "dialled" });
    try {
      await call.start();
    } catch (error) {
      if (this._call === call) this._fail(error);
      return;
    }
    if (this._call === call) await this._joined();
  }

  /** The call stands. */
  async _joined() {
    this._began = performance.now();
    clearInterval(this._clock);
    this._clock = window.setInterval(() => this._tick(), 1000);
    if (this._applied.settings.mode !== "speak") this._typed.focus();
    // Only now, with the permission, do browsers tell what the microphones are called.
    this._around.microphones(await microphones());
  }

  _hangUp() {
    if (!this._call) return;
    const call = this._call;
    call.stop();
    this._take({ type: "over" });
    announce("The call ended.");
  }

  /** @param {unknown} error */
  _fail(error) {
    this._call?.stop();
    this._tell(error);
    this._take({ type: "over" });
  }

  /** @param {unknown} error */
  _tell(error) {
    this._tellProblem(problemOf(error));
  }

  /** @param {import("./problems.js").Problem} problem */
  _tellProblem(problem) {
    showProblem(this._problem, problem, {
      type: () => void this._dial("type_hear"),
      sign_in: () => this._around.signIn(),
      again: () => void this._dial(),
    });
  }

  /**
   * A message of the server, or one of the page about the call.
   *
   * @param {{type: string} & Record<string, any>} message
   */
  _take(message) {
    if (message.type.includes(".")) this._around.log.add(message, false);
    this._phase = next(this._phase, message);
    this._transcript.take(message);
    switch (message.type) {
      case "turn.timeline":
        this._turns.add(message);
        break;
      case "tool.call":
        this._toolCalled(message);
        break;
      case "reply.error":
        this._tellProblem(problemOfReply(/** @type {any} */ (message)));
        break;
      case "session.error":
        this._tell(message);
        break;
      case "lost":
        if (!message.attempt) announce("The connection was lost. Reconnecting.");
        break;
      case "resumed":
        this._transcript.note("The connection was lost, and the call came back");
        announce("Connected again.");
        break;
      case "blocked":
        this._tellProblem(SILENCED);
        break;
      case "unblocked":
        fill(this._problem);
        break;
      case "over":
      case "session.ended":
        this._over();
        break;
    }
    if (message.type !== "reply.audio" || this._shown !== this._phase.name) this._show();
  }

  /** @param {Record<string, any>} called */
  _toolCalled(called) {
    const call = this._call;
    const { settings } = this._around;
    const tool = this._applied.tools.find((one) => one.name === called.name);
    const known = Object.hasOwn(settings.answers, called.name)
      ? settings.answers[called.name]
      : undefined;
    const card = toolCard(/** @type {any} */ (called), {
      byServer: call?.isRunByServer(called.name) ?? false,
      code: known?.how === "code" ? known.code : null,
      ...(tool?.timeout_seconds ? { seconds: tool.timeout_seconds } : {}),
      answer: (result, isError) => {
        if (this._call !== call) return;
        call?.answer(called.call_id, result, isError);
        this._take({ type: "answered", call_id: called.call_id });
      },
    });
    this._transcript.insert(card);
  }

  _type() {
    const text = this._typed.value.trim();
    if (!text || !this._call || !isLive(this._phase)) return;
    this._typed.value = "";
    this._call.type(text);
    this._transcript.typed(text);
    this._take({ type: "typed" });
  }

  _over() {
    this._call = null;
    clearInterval(this._clock);
    this._around.changed();
  }

  _show() {
    const live = isCall(this._phase);
    const { mode } = live ? this._applied.settings : this._around.settings;
    if (live && !this._wasLive) this._meters.start();
    if (!live && this._wasLive) this._meters.stop();
    this._wasLive = live;
    this._shown = this._phase.name;
    this._face.show({
      phase: this._phase,
      mode,
      isBlank: this._transcript.isEmpty && !live,
      isLocked: this._me === null,
      isMuted: this._call?.muted ?? false,
    });
    this._tick();
  }

  /** How long the call has been. */
  _tick() {
    this._face.tick(this._phase, performance.now() - this._began);
  }
}

/** @returns {Promise<MediaDeviceInfo[]>} */
async function microphones() {
  try {
    return (await navigator.mediaDevices.enumerateDevices()).filter(
      (one) => one.kind === "audioinput",
    );
  } catch {
    return [];
  }
}
