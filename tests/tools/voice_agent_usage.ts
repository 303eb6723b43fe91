// What a client's author writes against the generated declarations. Compiled, never run: a line
// under `@ts-expect-error` must be an error, every other line must not.
import type {
  ClientMessage,
  ClientMessageOf,
  ErrorCode,
  ServerMessage,
  ServerMessageOf,
  SessionUpdate,
} from "./voice_agent";

export function heard(message: ServerMessage): string | number {
  switch (message.type) {
    case "reply.audio":
      return message.data;
    case "transcript.agent.delta":
      return message.start_ms ?? 0;
    case "session.ready":
      return message.config.input.format.sample_rate ?? message.expires_at;
    case "session.error": {
      const code: ErrorCode = message.code;
      return code === "unauthorized" ? code : message.message;
    }
    case "reply.done":
      // @ts-expect-error: a status is completed or interrupted.
      return message.status === "cancelled" ? "" : message.status;
    case "input.speech.started":
      // @ts-expect-error: it says nothing but that.
      return message.text;
    default:
      // @ts-expect-error: the audio case is behind us.
      return message.data;
  }
}

export const everyOptionalKeyMayBeNull: SessionUpdate = {
  input: { voice_focus: null, turn_detection: { min_silence: null }, format: null },
  output: null,
  tools: [{ type: "function", name: "f", parameters: { type: "object" }, timeout_seconds: null }],
  webhook: { url: "https://example.org/hook", events: ["session.started"] },
};

// @ts-expect-error: null is not a greeting.
export const nullGreeting: SessionUpdate = { greeting: null };

// @ts-expect-error: the session has no voice, its output has.
export const misplaced: SessionUpdate = { voice: "alba" };

// @ts-expect-error: a mode is one of three.
export const noSuchMode: SessionUpdate = { input: { transcription_mode: "fast" } };

export const update: ClientMessage = { type: "session.update", session: { greeting: "Hello!" } };
export const end: ClientMessageOf<"session.end"> = { type: "session.end" };

// @ts-expect-error: a client does not send the server's messages.
export const wrongDirection: ClientMessage = { type: "reply.done", reply_id: "r" };

// @ts-expect-error: the field is called audio here and data in reply.audio.
export const wrongField: ClientMessage = { type: "input.audio", data: "AAAA" };

// @ts-expect-error: a result is text.
export const noText: ClientMessage = { type: "tool.result", call_id: "c", result: { ok: true } };

export function answer(call: ServerMessageOf<"tool.call">): ClientMessageOf<"tool.result"> {
  return { type: "tool.result", call_id: call.call_id, result: JSON.stringify(call.arguments) };
}
