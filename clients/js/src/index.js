/** Talk to a voice agent server from a browser or from Node; see README.md. */

export { fromBase64, toBase64 } from "./base64.js";
export { AntiphonError, ToolFailed } from "./errors.js";
export { Microphone } from "./microphone.js";
export { Player } from "./player.js";
export { Session } from "./session.js";
export { tokenFrom } from "./token.js";
export { VoiceAgent } from "./voice_agent.js";
