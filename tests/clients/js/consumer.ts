/** What somebody writes with the package in TypeScript: right things compile, wrong ones do not. */

import {
  AntiphonError,
  fromBase64,
  Session,
  tokenFrom,
  ToolFailed,
  VoiceAgent,
  type Dropped,
  type ReplyAudio,
  type ServerMessage,
  type SessionOptions,
  type Tools,
  type UnknownMessage,
} from "antiphon";
import type { SessionUpdate, ToolCall } from "antiphon/protocol";

const tools = {
  plain: async ({ city }: { city: string }) => `sunny in ${city}`,
  declared: {
    description: "The weather in a city, now.",
    parameters: { type: "object", properties: { city: { type: "string" } } },
    timeout_seconds: 10,
    execution_mode: "hold",
    run: async (args: { city: string }, { signal, callId }) => {
      const one: AbortSignal = signal;
      const two: string = callId;
      if (one.aborted) throw new ToolFailed(two);
      return { args };
    },
  },
} satisfies Tools;

const settings: SessionUpdate = { system_prompt: "Be brief.", output: { voice: "anna" } };
const options: SessionOptions = {
  url: new URL("wss://example.com"),
  getToken: tokenFrom("/token", { method: "POST" }),
  session: settings,
  tools,
  timeline: true,
};

export async function talk(): Promise<number> {
  const session = new Session(options);
  session.addEventListener("reply.audio", (event) => {
    const bytes: Uint8Array<ArrayBuffer> = fromBase64(event.detail.data);
    const message: ReplyAudio = event.detail;
    return [bytes, message];
  });
  session.addEventListener("transcript.user", ({ detail: { text } }) => text.trim(), { once: true });
  session.addEventListener("message", ({ detail }) => {
    const message: ServerMessage | UnknownMessage = detail;
    return message.type;
  });
  session.addEventListener("tool.call", { handleEvent: ({ detail }) => answer(session, detail) });
  session.addEventListener("failed", ({ detail }) => {
    const error: AntiphonError = detail;
    if (error.code === "session_expired" || error.retryable) return error.param;
    return error.closeCode;
  });
  session.addEventListener("dropped", ({ detail }) => lost(detail));
  session.addEventListener("state", ({ detail }) => {
    if (detail === "ended") return;
    const left: "connecting" | "ready" | "reconnecting" = detail;
    return left;
  });
  const ready: Session = await session.connect();
  ready.sendAudio(new Int16Array(960));
  const { text, interrupted } = await ready.waitFor("transcript.agent", {
    timeoutMs: 1000,
    where: (message) => message.text !== "",
  });
  const goodbye = await ready.end();
  return text.length + Number(interrupted) + (goodbye?.session_duration_seconds ?? 0);
}

function answer(session: Session, call: ToolCall) {
  session.giveToolResult(call.call_id, { done: true }, { isError: false });
}

function lost(what: Dropped): number {
  return what.what === "audio" ? what.bytes : what.error.message.length;
}

export async function voice(): Promise<VoiceAgent> {
  const agent = new VoiceAgent({ ...options, microphone: { echoCancellation: true } });
  agent.addEventListener("transcript.agent.delta", ({ detail }) => detail.start_ms);
  await agent.start();
  agent.mute(true);
  return agent;
}

export function wrong(session: Session): void {
  // @ts-expect-error: no such event
  session.addEventListener("reply.sound", () => {});
  // @ts-expect-error: no such event
  session.removeEventListener("close", () => {});
  // @ts-expect-error: the field is `data`
  session.addEventListener("reply.audio", (event) => event.detail.audio);
  // @ts-expect-error: a state of another name
  session.addEventListener("state", ({ detail }) => detail === "open");
  // @ts-expect-error: no such event to wait for
  void session.waitFor("reply.sound");
  // @ts-expect-error: `system_prompt` is text
  session.update({ system_prompt: 1 });
  // @ts-expect-error: no such setting
  session.update({ prompt: "Be brief." });
  // @ts-expect-error: text is no sound
  session.sendAudio("AAAA");
  // @ts-expect-error: an agent does not speak for itself
  session.addMessage("Hi.", "assistant");
  // @ts-expect-error: no such option
  new Session({ address: "ws://127.0.0.1" });
  // @ts-expect-error: a tool needs a function
  new Session({ tools: { one: { description: "" } } });
  // @ts-expect-error: read only
  session.state = "ended";
}
