/**
 * The public interface of the package `antiphon`. Messages and the session's configuration are
 * those of the protocol, under its names: they come from voice_agent.d.ts, which is generated.
 */

import type {
  ClientMessage,
  ErrorCode as ServerErrorCode,
  ServerMessage,
  ServerMessageOf,
  SessionConfig,
  SessionEnded,
  SessionUpdate,
  ToolCall,
  ToolUpdate,
} from "./voice_agent.js";

export type * from "./voice_agent.js";

// --- errors ---------------------------------------------------------------------------------

/** What goes wrong on this side of the wire; see the table in the README. */
export type OwnErrorCode =
  | "cannot_connect"
  | "connection_lost"
  | "timed_out"
  | "token_failed"
  | "no_microphone"
  | "no_sound"
  | "not_connected"
  | "session_over"
  | "queue_full"
  | "invalid_tool"
  | "invalid_options"
  | "malformed_message";

/** A newer server may send codes that this version does not know. */
export type AntiphonErrorCode = ServerErrorCode | OwnErrorCode | (string & {});

export interface AntiphonErrorDetails {
  /** Path of the offending field, such as `output.voice`. */
  param?: string | null;
  /** Whether the session is over because of it. */
  fatal?: boolean;
  /** Whether trying again later may help. */
  retryable?: boolean;
  /** WebSocket close code, where a socket was lost. */
  closeCode?: number | null;
  cause?: unknown;
}

/** Anything this package fails with on purpose. */
export class AntiphonError extends Error {
  constructor(code: AntiphonErrorCode, message: string, details?: AntiphonErrorDetails);
  readonly name: "AntiphonError";
  readonly code: AntiphonErrorCode;
  readonly param: string | null;
  readonly fatal: boolean;
  readonly retryable: boolean;
  readonly closeCode: number | null;
}

/** Thrown by a tool to tell the model, in its own words, what went wrong. */
export class ToolFailed extends Error {
  readonly name: "ToolFailed";
}

// --- tools ----------------------------------------------------------------------------------

export interface ToolContext {
  /** Aborted when the call timed out, or the session is over. */
  readonly signal: AbortSignal;
  readonly callId: string;
  readonly name: string;
}

/**
 * What is called when the model calls a tool. What it returns is told to the model: text as it
 * is, anything else as JSON. What it throws is told as a failure.
 */
export type ToolFunction<Arguments = any> = (args: Arguments, context: ToolContext) => unknown;

/** A tool with its declaration. `parameters` is the JSON Schema of the arguments object. */
export interface ToolDefinition<Arguments = any> extends Partial<Omit<ToolUpdate, "type" | "name">> {
  run: ToolFunction<Arguments>;
}

export interface NamedTool<Arguments = any> extends ToolDefinition<Arguments> {
  name: string;
  type?: "function";
}

/**
 * Tools by name, or in a list. A plain function answers the calls of a tool that is declared
 * elsewhere: in `session.tools`, or by a stored agent.
 */
export type Tools = Record<string, ToolFunction | ToolDefinition> | readonly NamedTool[];

// --- a session ------------------------------------------------------------------------------

/** A token, or an answer of `/v1/token`; nothing where the server asks for none. */
export type Token = string | { token: string } | null | undefined;
export type GetToken = () => Token | Promise<Token>;

/** What the package needs of a WebSocket: the browser's, Node's (22 and later), or that of `ws`. */
export type WebSocketClass = new (url: string) => WebSocketLike;
export interface WebSocketLike {
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

/** Milliseconds. The defaults are right for almost everybody. */
export interface Timings {
  /** Until the session must be ready: 10000. */
  connectMs: number;
  /** One try to come back: 6000. */
  tryMs: number;
  /** All tries to come back together: 25000. */
  windowMs: number;
  /** Longest wait before the first try, twice that before the next, and so on: 250. */
  firstDelayMs: number;
  /** Longest wait before a try: 5000. */
  longestDelayMs: number;
  /** How long `end` waits for the server's goodbye: 5000. */
  goodbyeMs: number;
  /** Silence of the server after which it is asked for a sign, and time it has for it: 8000. */
  keepaliveMs: number;
}

export interface SessionOptions {
  /**
   * Where the server is: http, https, ws or wss, with or without `/v1/ws`. In a browser by
   * default the server that the page came from.
   */
  url?: string | URL | undefined;
  /** A credential for the first connection. In a browser: a temporary token, never a key. */
  token?: string | undefined;
  /** Asked for a fresh credential before each connection. See `tokenFrom`. */
  getToken?: GetToken | undefined;
  /** The first `session.update`: prompt, greeting, voice, turn detection, `agent_id`, ... */
  session?: SessionUpdate | undefined;
  /** What the model may call. */
  tools?: Tools | undefined;
  /** Asks for a `turn.timeline` event for each reply. */
  timeline?: boolean | undefined;
  /** Whether a lost connection is come back from: true. */
  resume?: boolean | undefined;
  /** Instead of the global `WebSocket`. */
  WebSocket?: WebSocketClass | undefined;
  timings?: Partial<Timings> | undefined;
}

export type SessionState = "idle" | "connecting" | "ready" | "reconnecting" | "ended";

/** Something that was not sent, or not read. */
export type Dropped =
  | { what: "audio"; why: "not_ready" | "backpressure"; bytes: number }
  | { what: "message"; why: "malformed"; error: AntiphonError };

/** A message of a type that this version does not know. */
export interface UnknownMessage {
  type: string;
  [field: string]: unknown;
}

type ServerEvents = { [T in ServerMessage["type"]]: CustomEvent<ServerMessageOf<T>> };

/** The events of a session; `event.detail` of a server's message is the message. */
export interface SessionEventMap extends ServerEvents {
  /** Every message of the server, after its own event; also of types not known here. */
  message: CustomEvent<ServerMessage | UnknownMessage>;
  /** Every message to the server. */
  sent: CustomEvent<ClientMessage>;
  state: CustomEvent<Exclude<SessionState, "idle">>;
  /** The session is over, and nobody meant it to be; `state` `ended` follows. */
  failed: CustomEvent<AntiphonError>;
  dropped: CustomEvent<Dropped>;
  /** A tool of yours threw; the model was told. */
  "tool.failed": CustomEvent<{ call: ToolCall; error: unknown }>;
}

export type SessionListener<K extends keyof SessionEventMap> =
  | ((event: SessionEventMap[K]) => void)
  | { handleEvent(event: SessionEventMap[K]): void }
  | null;

export interface WaitOptions<K extends keyof SessionEventMap> {
  timeoutMs?: number | undefined;
  where?: ((detail: SessionEventMap[K]["detail"]) => boolean) | undefined;
}

/** One conversation with an agent; it outlives its socket. Used once. */
export class Session extends EventTarget {
  constructor(options?: SessionOptions);

  readonly state: SessionState;
  /** `sess_...`, once the session is ready. */
  readonly id: string | null;
  /** The configuration in effect. */
  readonly config: SessionConfig | null;
  /** When the session is cut: Unix seconds. */
  readonly expiresAt: number | null;
  /** The reply that is under way. */
  readonly replyId: string | null;
  /** How often the session came back. */
  readonly resumes: number;
  /** The server's goodbye. */
  readonly ended: SessionEnded | null;
  /** Why the session failed. */
  readonly failure: AntiphonError | null;

  /** Resolves when the session is ready. Rejects with an `AntiphonError`. */
  connect(): Promise<this>;

  /**
   * Sends microphone audio: raw samples in the input encoding, by default int16 little-endian
   * mono at 24 kHz. False: it was dropped, at once or in favour of newer audio.
   */
  sendAudio(samples: ArrayBuffer | ArrayBufferView): boolean;
  /** Changes settings; answered by `session.updated` or `session.error`. */
  update(change: SessionUpdate): void;
  /** Replaces the functions of tools, and declares those that have a declaration. */
  setTools(tools: Tools): void;
  /** Asks the agent to say this, word for word. */
  say(text: string): void;
  /** Asks for a reply now; the instructions steer this reply only. */
  createReply(instructions?: string): void;
  /** Stops a reply, by default the one that is under way. */
  cancelReply(replyId?: string | null): void;
  /** Adds to the history, without a reply. */
  addMessage(text: string, role?: "user" | "system"): void;
  /** Answers a `tool.call` that no function answers. */
  giveToolResult(callId: string, result: unknown, options?: { isError?: boolean }): void;
  /** Says goodbye. Resolves with the server's, null where there was none; never rejects. */
  end(): Promise<SessionEnded | null>;

  /** The detail of the next such event. Rejects when the session is over, or out of time. */
  waitFor<K extends keyof SessionEventMap>(
    type: K,
    options?: WaitOptions<K>,
  ): Promise<SessionEventMap[K]["detail"]>;

  addEventListener<K extends keyof SessionEventMap>(
    type: K,
    listener: SessionListener<K>,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof SessionEventMap>(
    type: K,
    listener: SessionListener<K>,
    options?: boolean | EventListenerOptions,
  ): void;
}

// --- what else helps ------------------------------------------------------------------------

/** Asks your own server for a token: `getToken: tokenFrom("/my/token")`. */
export function tokenFrom(url: string | URL, init?: RequestInit): () => Promise<string>;
/** Bytes as base64. */
export function toBase64(bytes: Uint8Array): string;
/** Base64 as bytes. Throws an `AntiphonError` for anything else. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer>;

// --- sound in a browser ---------------------------------------------------------------------

export interface MicrophoneOptions {
  deviceId?: string | undefined;
  /** Milliseconds of a frame, 20 to 50: 20. */
  frameMs?: number | undefined;
  /** True by default: without it the agent hears itself through the loudspeaker. */
  echoCancellation?: boolean | undefined;
  /** True by default. */
  noiseSuppression?: boolean | undefined;
  /** True by default. */
  autoGainControl?: boolean | undefined;
  /** Where the AudioWorklet lies: beside this package's modules. */
  workletUrl?: string | URL | undefined;
  /** Instead of one of its own. It is not closed. */
  context?: AudioContext | undefined;
}

export interface MicrophoneEventMap {
  /** The device went away; the system's default takes its place, if there is one. */
  lost: Event;
  /** Another device is used. */
  device: Event;
  /** No device is left. */
  failed: CustomEvent<AntiphonError>;
}

/**
 * The microphone as int16 little-endian mono PCM at 24 kHz, whatever the device's rate. Muted or
 * unplugged it is silence.
 */
export class Microphone extends EventTarget {
  private constructor(options: MicrophoneOptions);
  /** Call it in a click. Rejects with an `AntiphonError` that says why in plain words. */
  static open(options?: MicrophoneOptions): Promise<Microphone>;
  /** The microphones of this machine; their labels are empty until one was allowed. */
  static devices(): Promise<{ deviceId: string; label: string }[]>;
  /** `capturedAt`: when its last sample was heard, in seconds of the context. */
  onframe: ((pcm: Uint8Array<ArrayBuffer>, capturedAt: number) => void) | null;
  /** Loudness, 0 to 1: rises at once, falls gently. */
  readonly level: number;
  readonly deviceId: string | null;
  readonly context: AudioContext;
  muted: boolean;
  /** Takes another device, by default the system's; the one in use stays if that fails. */
  use(deviceId?: string): Promise<void>;
  close(): Promise<void>;
}

export interface PlayerOptions {
  /** Instead of one of its own. It is not closed. */
  context?: AudioContext | undefined;
  /** Where the AudioWorklet lies: beside this package's modules. */
  workletUrl?: string | URL | undefined;
}

export interface PlayerEventMap {
  /** The first sound of a reply is played; its id. */
  started: CustomEvent<string>;
  /** What was there to play has been played. */
  drained: Event;
  /** There was nothing to play in the middle of a reply. */
  underrun: Event;
  /** The browser wants a click before it makes sound; and has got it. */
  blocked: Event;
  unblocked: Event;
}

/** Plays int16 little-endian mono PCM at 24 kHz without gaps. */
export class Player extends EventTarget {
  private constructor(options: PlayerOptions);
  /** Call it in a click. */
  static open(options?: PlayerOptions): Promise<Player>;
  play(pcm: Uint8Array, replyId: string): void;
  /** Nothing more comes of a reply. */
  end(replyId: string): void;
  /** Falls silent at once and forgets what was to be played. */
  flush(): void;
  /** Milliseconds of a reply that were heard. */
  playedMs(replyId: string): number;
  /** Loudness, 0 to 1: rises at once, falls gently. */
  readonly level: number;
  /** How often there was nothing to play in the middle of a reply. */
  readonly underruns: number;
  /** How long the first sound of a reply waits for the next: as long as sound comes late. */
  readonly targetMs: number;
  /** What is there and not played yet, in milliseconds. */
  readonly waitingMs: number;
  readonly isDrained: boolean;
  /** Whether the browser wants a click before it makes sound. */
  readonly isBlocked: boolean;
  readonly context: AudioContext;
  /** Where the sound comes out, to connect a meter or a recorder to. */
  readonly node: AudioNode | null;
  close(): Promise<void>;
}

export interface VoiceAgentOptions extends SessionOptions {
  /** False: there is none, the user writes. */
  microphone?: MicrophoneOptions | false | undefined;
  player?: PlayerOptions | undefined;
}

/** What one side said before the other did. */
export interface Turn {
  /** The item of the conversation. */
  id: string;
  role: "user" | "agent";
  /** So far. */
  text: string;
  isFinal: boolean;
  /** Whether the text ends where the user cut in. */
  isInterrupted: boolean;
  /** Of the agent's turns. */
  replyId: string | null;
}

export interface VoiceAgentEventMap extends SessionEventMap {
  /** What was said in a turn so far; the object stays the same while the turn lasts. */
  turn: CustomEvent<Turn>;
  /** The first sound of a reply is played; its id. */
  started: CustomEvent<string>;
  /** What was there to play has been played. */
  drained: CustomEvent<undefined>;
  /** The browser wants a click before it makes sound; and has got it. */
  blocked: CustomEvent<undefined>;
  unblocked: CustomEvent<undefined>;
}

export type VoiceAgentListener<K extends keyof VoiceAgentEventMap> =
  | ((event: VoiceAgentEventMap[K]) => void)
  | { handleEvent(event: VoiceAgentEventMap[K]): void }
  | null;

/** A session with microphone and loudspeaker. It has the events of its session. Used once. */
export class VoiceAgent extends EventTarget {
  constructor(options?: VoiceAgentOptions);
  readonly session: Session;
  readonly microphone: Microphone | null;
  readonly player: Player | null;
  readonly state: SessionState;
  /** What was said so far, in the order in which it began. */
  readonly turns: readonly Turn[];
  readonly muted: boolean;
  /** Call it in a click. Rejects with an `AntiphonError`; then nothing is left open. */
  start(): Promise<this>;
  mute(muted: boolean): void;
  /** Says something in writing, and asks for an answer. */
  send(text: string): void;
  /** Hangs up: silence at once. Never rejects. */
  stop(): Promise<void>;
  addEventListener<K extends keyof VoiceAgentEventMap>(
    type: K,
    listener: VoiceAgentListener<K>,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof VoiceAgentEventMap>(
    type: K,
    listener: VoiceAgentListener<K>,
    options?: boolean | EventListenerOptions,
  ): void;
}
