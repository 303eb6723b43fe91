/** A stored agent as settings of the page, to try changes before they are stored. */

/** @typedef {import("./settings.js").Settings} Settings */

/**
 * Settings that make the same call as an agent of `GET /v1/agents/{id}`, as far as a client may
 * say it: what the server calls or keeps secret (HTTP tools, models) stays the agent's own.
 *
 * @param {any} agent
 * @param {Settings} settings whose other fields are kept
 * @returns {Settings}
 */
export function settingsOf(agent, settings) {
  const { input = {}, output = {}, tools = [] } = agent;
  const turns = input.turn_detection;
  return {
    ...settings,
    agentId: "",
    systemPrompt: agent.system_prompt ?? "",
    greeting: agent.greeting ?? "",
    voice: agent.voice?.voice_id ?? output.voice ?? "",
    volume: output.volume ?? null,
    keyterms: (input.keyterms ?? []).join("\n"),
    languageCodes: (input.language_codes ?? []).join(", "),
    transcriptionMode: input.transcription_mode ?? "",
    transcriptionPrompt: input.transcription_prompt ?? "",
    voiceFocus: input.voice_focus ?? "",
    voiceFocusThreshold: input.voice_focus_threshold ?? null,
    turns: turns ? "fixed" : "adaptive",
    fixed: {
      vadThreshold: turns?.vad_threshold ?? null,
      minSilence: turns?.min_silence ?? null,
      maxSilence: turns?.max_silence ?? null,
      interruptResponse: turns?.interrupt_response ?? true,
      interruptionDelay: turns?.interruption_delay ?? null,
      uninterruptibleTurns: turns?.uninterruptible_turns ?? [],
    },
    tools: tools.length ? JSON.stringify(tools.map(declared), null, 2) : "",
  };
}

/** @param {any} tool */
function declared({
  name,
  description,
  parameters,
  timeout_seconds,
  execution_mode,
  response_instructions,
}) {
  return {
    type: "function",
    name,
    description,
    parameters,
    timeout_seconds,
    execution_mode,
    ...(response_instructions ? { response_instructions } : {}),
  };
}
