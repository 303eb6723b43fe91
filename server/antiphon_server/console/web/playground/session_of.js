/** Settings as a `session.update`: the first one of a call, and what changes in one that runs. */

import { codes, lines } from "./settings.js";

/** @typedef {import("./settings.js").Settings} Settings */
/** @typedef {import("./settings.js").Turns} Turns */

/**
 * The `session` object of the first `session.update`. Only what was set is in it: what is not
 * said is the server's default.
 *
 * @param {Settings} settings
 * @param {readonly object[]} tools checked, as declared
 * @returns {Record<string, any>}
 */
export function toSession(settings, tools) {
  if (settings.agentId) return { agent_id: settings.agentId };
  /** @type {Record<string, any>} */
  const session = {};
  if (settings.systemPrompt.trim()) session.system_prompt = settings.systemPrompt;
  if (settings.greeting.trim()) session.greeting = settings.greeting;
  const input = heard(settings);
  if (settings.mode !== "speak") input.type = "text";
  if (Object.keys(input).length) session.input = input;
  /** @type {Record<string, any>} */
  const output = {};
  if (settings.mode === "type_read") output.type = "text";
  if (settings.voice) output.voice = settings.voice;
  if (settings.volume !== null) output.volume = settings.volume;
  if (Object.keys(output).length) session.output = output;
  if (tools.length) session.tools = tools;
  return session;
}

/**
 * @param {Settings} settings
 * @returns {Record<string, any>}
 */
function heard(settings) {
  /** @type {Record<string, any>} */
  const input = {};
  const keyterms = lines(settings.keyterms);
  const languages = codes(settings.languageCodes);
  if (keyterms.length) input.keyterms = keyterms;
  if (languages.length) input.language_codes = languages;
  if (settings.transcriptionMode) input.transcription_mode = settings.transcriptionMode;
  if (settings.transcriptionPrompt.trim())
    input.transcription_prompt = settings.transcriptionPrompt;
  if (settings.voiceFocus) {
    input.voice_focus = settings.voiceFocus;
    if (settings.voiceFocusThreshold !== null) {
      input.voice_focus_threshold = settings.voiceFocusThreshold;
    }
  }
  if (settings.turns === "fixed") input.turn_detection = windows(settings.fixed);
  return input;
}

/**
 * @param {Turns} turns
 * @returns {Record<string, any>}
 */
function windows(turns) {
  return {
    ...(turns.vadThreshold === null ? {} : { vad_threshold: turns.vadThreshold }),
    ...(turns.minSilence === null ? {} : { min_silence: turns.minSilence }),
    ...(turns.maxSilence === null ? {} : { max_silence: turns.maxSilence }),
    ...(turns.interruptResponse ? {} : { interrupt_response: false }),
    ...(turns.interruptionDelay === null ? {} : { interruption_delay: turns.interruptionDelay }),
    ...(turns.uninterruptibleTurns.length
      ? { uninterruptible_turns: turns.uninterruptibleTurns }
      : {}),
  };
}

/** Frozen when a call begins (protocol, section 3.1), or of the browser. */
const FROZEN = /** @type {[keyof Settings, string][]} */ ([
  ["agentId", "stored agent"],
  ["mode", "way of talking"],
  ["greeting", "greeting"],
  ["voice", "voice"],
  ["deviceId", "microphone"],
  ["echoCancellation", "echo cancellation"],
]);

/**
 * What of a change the call that runs can take, and what needs a new one.
 *
 * @param {Settings} before what the call has
 * @param {Settings} after
 * @param {readonly object[]} toolsBefore
 * @param {readonly object[]} toolsAfter
 * @returns {{update: Record<string, any> | null, needsNewCall: string[]}}
 */
export function change(before, after, toolsBefore, toolsAfter) {
  const needsNewCall = FROZEN.filter(([name]) => before[name] !== after[name]).map(
    ([, words]) => words,
  );
  if (after.agentId || before.agentId) return { update: null, needsNewCall };
  /** @type {Record<string, any>} */
  const update = {};
  if (before.systemPrompt !== after.systemPrompt) update.system_prompt = after.systemPrompt;
  if (!same(toolsBefore, toolsAfter)) update.tools = toolsAfter;
  const input = difference(whole(heard(before), before), whole(heard(after), after));
  if (input) update.input = input;
  if (before.volume !== after.volume) update.output = { volume: after.volume };
  return { update: Object.keys(update).length ? update : null, needsNewCall };
}

/**
 * Every key that an update may change, null where its default is meant.
 *
 * @param {Record<string, any>} input
 * @param {Settings} settings
 * @returns {Record<string, any>}
 */
function whole(input, settings) {
  const turns = settings.fixed;
  return {
    keyterms: null,
    language_codes: null,
    transcription_mode: null,
    transcription_prompt: null,
    voice_focus: null,
    voice_focus_threshold: null,
    ...input,
    turn_detection:
      settings.turns === "adaptive"
        ? null
        : {
            vad_threshold: turns.vadThreshold,
            min_silence: turns.minSilence,
            max_silence: turns.maxSilence,
            interrupt_response: turns.interruptResponse,
            interruption_delay: turns.interruptionDelay,
            uninterruptible_turns: turns.uninterruptibleTurns,
          },
  };
}

/**
 * @param {Record<string, any>} before
 * @param {Record<string, any>} after
 * @returns {Record<string, any> | null}
 */
function difference(before, after) {
  const changed = Object.entries(after).filter(([name, value]) => !same(before[name], value));
  return changed.length ? Object.fromEntries(changed) : null;
}

/**
 * @param {unknown} one
 * @param {unknown} other
 */
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
