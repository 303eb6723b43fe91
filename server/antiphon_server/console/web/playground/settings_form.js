/** The form of the settings. It reads and writes one object, and says after each change. */

import { fill, h, icon, toast } from "../shared/dom.js";
import { Fields } from "./fields.js";
import { agent } from "./server.js";
import { defaults, PROTECTED_TURNS, RANGES, TURN_DEFAULTS } from "./settings.js";
import { settingsOf } from "./stored_agent.js";
import { ToolsForm } from "./tools_form.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./tools.js").Tool} Tool */

/** @type {Record<string, string>} */
const PROTECTED = {
  greeting: "the greeting",
  dtmf_prompt: "questions for the keypad",
  tool_refused_ask: "questions after a refused tool",
};

export class SettingsForm {
  /**
   * @param {HTMLElement} root
   * @param {Settings} settings changed in place
   * @param {() => void} changed
   */
  constructor(root, settings, changed) {
    this._root = root;
    this.settings = settings;
    this._changed = changed;
    /** @type {{id: string, name: string}[]} */
    this._agents = [];
    /** @type {{id: string, name: string}[]} */
    this._voices = [];
    /** @type {MediaDeviceInfo[]} */
    this._microphones = [];
    this._draw();
  }

  /** @returns {Tool[]} the tools that are well formed */
  get tools() {
    return this._tools?.tools ?? [];
  }

  /**
   * What the server offers, once it is known.
   *
   * @param {object} offered
   * @param {{id: string, name: string}[]} [offered.agents]
   * @param {{id: string, name: string}[]} [offered.voices]
   * @param {MediaDeviceInfo[]} [offered.microphones]
   */
  offer({ agents, voices, microphones }) {
    this._agents = agents ?? this._agents;
    this._voices = voices ?? this._voices;
    this._microphones = microphones ?? this._microphones;
    this._draw();
  }

  /** Back to what the page begins with. */
  reset() {
    Object.assign(this.settings, defaults());
    this._draw();
    this._changed();
  }

  /** @param {Record<string, string>} wrongs by field */
  tellWrongs(wrongs) {
    this._fields?.tell(wrongs);
  }

  _draw() {
    const open = new Set(
      [...this._root.querySelectorAll("details[open]")].map((one) => one.getAttribute("data-part")),
    );
    const focused = this._root.contains(document.activeElement) ? document.activeElement?.id : "";
    const change = () => {
      this._changed();
      this._showOrHide();
    };
    this._fields = new Fields(change);
    this._tools = new ToolsForm(this.settings, change);
    const part = (
      /** @type {string} */ name,
      /** @type {string} */ title,
      /** @type {string} */ hint,
      /** @type {HTMLElement[]} */ ...fields
    ) =>
      h(
        "details",
        { class: "part", "data-part": name, open: open.has(name) },
        h("summary", null, h("span", null, title), h("span", { class: "part-hint" }, hint)),
        h("div", { class: "stack" }, fields),
      );
    fill(
      this._root,
      this._who(),
      h("div", { class: "own stack" }, this._instructions()),
      h(
        "div",
        { class: "parts own" },
        part("voice", "Voice", "who speaks, how loud", ...this._voice()),
        part("listening", "Listening", "key terms, languages", ...this._listening()),
        part("turns", "Turns", "when it answers, interruptions", ...this._turns()),
        part("tools", "Tools", "what the agent may call", this._tools.element),
      ),
      h(
        "div",
        { class: "parts" },
        part("browser", "This browser", "microphone, echo", ...this._browser()),
      ),
      h(
        "div",
        { class: "row" },
        h(
          "button",
          { class: "button quiet", type: "button", onclick: () => this.reset() },
          "Reset all settings",
        ),
      ),
    );
    this._showOrHide();
    if (focused) document.getElementById(focused)?.focus();
  }

  /** What does not count now is not in the way. */
  _showOrHide() {
    const stored = this.settings.agentId !== "";
    for (const own of this._root.querySelectorAll(".own"))
      /** @type {HTMLElement} */ (own).hidden = stored;
    for (const one of this._root.querySelectorAll("[data-only]")) {
      const [name, value] = (one.getAttribute("data-only") ?? "").split("=");
      const now = String(this.settings[/** @type {keyof Settings} */ (name)]);
      /** @type {HTMLElement} */ (one).hidden = value === "*" ? now === "" : now !== value;
    }
    const note = this._root.querySelector(".stored-note");
    if (note instanceof HTMLElement) note.hidden = !stored;
  }

  /** @returns {HTMLElement} */
  _who() {
    const { settings } = this;
    const known = this._agents.some((one) => one.id === settings.agentId);
    /** @type {[string, string][]} */
    const agents = [["", "The settings on this page"]];
    for (const one of this._agents) agents.push([one.id, one.name]);
    if (settings.agentId && !known) agents.push([settings.agentId, settings.agentId]);
    const fields = /** @type {Fields} */ (this._fields);
    return h(
      "div",
      { class: "stack" },
      fields.choose(settings, "mode", "How you talk", [
        ["speak", "Speak and listen"],
        ["type_hear", "Type and listen"],
        ["type_read", "Type and read"],
      ]),
      fields.choose(settings, "agentId", "Agent", agents),
      h(
        "p",
        { class: "hint stored-note soft small", hidden: "" },
        "A stored agent brings its own instructions, voice and tools. ",
        h("a", { href: "/console/agents" }, "See it in the console"),
        ", or ",
        h(
          "button",
          { class: "link-button", type: "button", onclick: () => void this._copyAgent() },
          "copy its settings to this page",
        ),
        ".",
      ),
    );
  }

  async _copyAgent() {
    try {
      Object.assign(this.settings, settingsOf(await agent(this.settings.agentId), this.settings));
    } catch (error) {
      toast(error instanceof Error ? error.message : String(error), 8000);
      return;
    }
    this._draw();
    this._changed();
    document.getElementById("set-systemPrompt")?.focus();
  }

  /** @returns {HTMLElement[]} */
  _instructions() {
    const fields = /** @type {Fields} */ (this._fields);
    return [
      fields.write(this.settings, "systemPrompt", "Instructions", {
        rows: 5,
        hint: "Who the agent is and what it does.",
      }),
      fields.write(this.settings, "greeting", "Greeting", {
        rows: 2,
        hint: "Spoken word for word at the start. Empty: the agent listens first.",
      }),
    ];
  }

  /** @returns {HTMLElement[]} */
  _voice() {
    const fields = /** @type {Fields} */ (this._fields);
    /** @type {[string, string][]} */
    const voices = [
      ["", "The server's default"],
      ...this._voices.map((one) => /** @type {[string, string]} */ ([one.id, one.name])),
    ];
    return [
      fields.choose(this.settings, "voice", "Voice", voices),
      fields.slide(this.settings, "volume", "Volume", {
        ...RANGES.volume,
        standard: 100,
        unset: "as recorded",
        hint: "How loud the server makes the voice.",
      }),
    ];
  }

  /** @returns {HTMLElement[]} */
  _listening() {
    const fields = /** @type {Fields} */ (this._fields);
    const { settings } = this;
    return [
      fields.write(settings, "keyterms", "Key terms", {
        rows: 3,
        hint: "Names and words to expect, one a line. At most 100.",
      }),
      fields.write(settings, "languageCodes", "Languages", {
        hint: "Such as en or en, es. Empty: the server detects them.",
      }),
      fields.choose(settings, "transcriptionMode", "Speed or care", [
        ["", "The server's default (balanced)"],
        ["min_latency", "Fastest answers"],
        ["balanced", "Balanced"],
        ["max_accuracy", "Most careful"],
      ]),
      fields.write(settings, "transcriptionPrompt", "Context", {
        rows: 2,
        hint: "What the conversation is about.",
      }),
      fields.choose(settings, "voiceFocus", "Noise suppression", [
        ["", "Off"],
        ["near-field", "The speaker is near the microphone"],
        ["far-field", "The speaker is across the room"],
      ]),
      only(
        "voiceFocus=*",
        fields.slide(settings, "voiceFocusThreshold", "Strength of suppression", {
          ...RANGES.voiceFocusThreshold,
          standard: 0.5,
          unset: "the server's default",
        }),
      ),
    ];
  }

  /** @returns {HTMLElement[]} */
  _turns() {
    const fields = /** @type {Fields} */ (this._fields);
    const { fixed } = this.settings;
    const standard = TURN_DEFAULTS;
    const told = (/** @type {keyof typeof TURN_DEFAULTS} */ name) => `default ${standard[name]}`;
    return [
      fields.choose(this.settings, "turns", "End of a turn", [
        ["adaptive", "Adaptive: from words and sound (recommended)"],
        ["fixed", "Fixed: after so much silence"],
      ]),
      only(
        "turns=fixed",
        h(
          "div",
          { class: "stack" },
          fields.slide(fixed, "minSilence", "Pause after a finished sentence", {
            ...RANGES.minSilence,
            standard: standard.minSilence,
            unset: told("minSilence"),
            hint: "Silence after which a turn that sounds finished ends.",
          }),
          fields.slide(fixed, "maxSilence", "Longest pause", {
            ...RANGES.maxSilence,
            standard: standard.maxSilence,
            unset: told("maxSilence"),
            hint: "Silence after which any turn ends.",
          }),
          fields.slide(fixed, "vadThreshold", "What counts as voice", {
            ...RANGES.vadThreshold,
            standard: standard.vadThreshold,
            unset: told("vadThreshold"),
            hint: "Higher takes less noise for speech; 0 to 1.",
          }),
          fields.tick(fixed, "interruptResponse", "You may interrupt the agent"),
          fields.slide(fixed, "interruptionDelay", "Speech until an interruption counts", {
            ...RANGES.interruptionDelay,
            standard: standard.interruptionDelay ?? 500,
            unset: "default: 0 for the fastest answers, else 500",
          }),
          fields.tickSome(
            fixed,
            "uninterruptibleTurns",
            "Never interrupted",
            PROTECTED_TURNS.map(
              (one) => /** @type {[string, string]} */ ([one, PROTECTED[one] ?? one]),
            ),
          ),
        ),
      ),
    ];
  }

  /** @returns {HTMLElement[]} */
  _browser() {
    const fields = /** @type {Fields} */ (this._fields);
    /** @type {[string, string][]} */
    const devices = [["", "The system's default"]];
    this._microphones.forEach((one, index) => {
      if (one.deviceId && one.deviceId !== "default")
        devices.push([one.deviceId, one.label || `Microphone ${index + 1}`]);
    });
    return [
      fields.choose(this.settings, "deviceId", "Microphone", devices),
      fields.tick(
        this.settings,
        "echoCancellation",
        "Cancel the echo of the loudspeaker",
        "Off, with headphones: the microphone's sound as it is.",
      ),
      h("p", { class: "soft small" }, icon("info"), " Settings stay in this browser."),
    ];
  }
}

/**
 * @param {string} when `name=value`
 * @param {HTMLElement} element
 * @returns {HTMLElement}
 */
function only(when, element) {
  element.setAttribute("data-only", when);
  return element;
}
