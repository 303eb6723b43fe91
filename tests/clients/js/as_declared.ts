/** The implementation is what the declarations say, and says nothing public beside. */

import * as declared from "../../../clients/js/types/index.js";
import * as actual from "../../../clients/js/src/index.js";

/** What can be used of a class from outside, without the marks of its private fields. */
type Public<T> = { [K in keyof T]: T[K] };
/** True where nothing is left over. */
type None<T> = [T] extends [never] ? true : T;

export const session: new (options?: declared.SessionOptions) => Public<declared.Session> =
  actual.Session;
export const agent: new (options?: declared.VoiceAgentOptions) => Public<
  Omit<declared.VoiceAgent, "session" | "microphone" | "player" | "start">
> = actual.VoiceAgent;
export const microphone: Public<declared.Microphone> = null as unknown as actual.Microphone;
export const player: Public<declared.Player> = null as unknown as actual.Player;
export const openers: {
  microphone: (options?: declared.MicrophoneOptions) => Promise<Public<declared.Microphone>>;
  player: (options?: declared.PlayerOptions) => Promise<Public<declared.Player>>;
} = { microphone: actual.Microphone.open, player: actual.Player.open };
export const error: typeof declared.AntiphonError = actual.AntiphonError;
export const failed: typeof declared.ToolFailed = actual.ToolFailed;
export const functions: Pick<typeof declared, "fromBase64" | "toBase64" | "tokenFrom"> = actual;

export const noneIsUndeclared: [
  None<Exclude<keyof typeof actual, keyof typeof declared>>,
  None<Exclude<keyof typeof declared, keyof typeof actual>>,
  None<Exclude<keyof actual.Session, keyof declared.Session>>,
  None<Exclude<keyof actual.VoiceAgent, keyof declared.VoiceAgent>>,
  None<Exclude<keyof actual.AntiphonError, keyof declared.AntiphonError>>,
] = [true, true, true, true, true];
