/** A browser's microphone as the sound of the wire. */

/** @import { MicrophoneOptions } from "../types/index.js" */
/** @import { Frame } from "./worklets/microphone.js" */

import { AntiphonError, described } from "./errors.js";
import { SoundContext } from "./sound_context.js";

/** Half of what a frame may take from the mouth to the socket is left for the way (60 ms). */
const FRAME_MS = 20;
const FRAMES_MS = [20, 50];

/** In plain words, by the name of what getUserMedia rejects with (W3C Media Capture, 10.2). */
const REASONS = new Map([
  ["NotAllowedError", "the microphone is not allowed: allow it beside the address of this page"],
  ["SecurityError", "this page may not use a microphone"],
  ["NotFoundError", "there is no microphone: connect one"],
  ["OverconstrainedError", "that microphone is not there any more: choose another"],
  ["NotReadableError", "the microphone cannot be used: perhaps another program has it"],
  ["AbortError", "the microphone could not be started: try again"],
]);

/**
 * Int16 little-endian mono PCM at 24 kHz, whatever the device gives, from `open` to `close`; muted
 * or unplugged it is silence, for a server measures time by the sound it gets.
 *
 * Events: "lost" when the device goes away (the default one takes its place, if there is one),
 * "device" when another is used; `failed`, with an `AntiphonError`, when none is left.
 */
export class Microphone extends EventTarget {
  #sound;
  #options;
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  /** @type {AudioWorkletNode | null} */
  #node = null;
  #level = 0;
  #isMuted = false;
  #isOpen = true;
  #changes = 0;

  /** @type {((pcm: Uint8Array<ArrayBuffer>, capturedAt: number) => void) | null} */
  onframe = null;

  /**
   * Use `open`.
   *
   * @param {MicrophoneOptions} options
   */
  constructor(options) {
    super();
    this.#options = options;
    this.#sound = new SoundContext(options.context);
  }

  /**
   * Asks for the microphone; call it in a click. Rejects with an `AntiphonError` of code
   * `no_microphone` that says in plain words why there is none, or of `invalid_options`.
   *
   * @param {MicrophoneOptions} [options]
   */
  static async open(options = {}) {
    const { frameMs = FRAME_MS } = options;
    const [least = 0, most = 0] = FRAMES_MS;
    if (!(frameMs >= least && frameMs <= most)) {
      const message = `frameMs is from ${least} to ${most}`;
      throw new AntiphonError("invalid_options", message, { param: "frameMs" });
    }
    const microphone = new Microphone(options);
    try {
      await microphone.#start(frameMs);
    } catch (error) {
      await microphone.close();
      throw error;
    }
    return microphone;
  }

  /**
   * The microphones of this machine; their labels are empty until one was allowed.
   *
   * @returns {Promise<{ deviceId: string, label: string }[]>}
   */
  static async devices() {
    const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
    const ours = all.filter(({ kind }) => kind === "audioinput");
    return ours.map(({ deviceId, label }) => ({ deviceId, label }));
  }

  /** Loudness, 0 to 1: rises at once, falls gently. */
  get level() {
    return this.#level;
  }

  /** The device in use. */
  get deviceId() {
    return this.#stream?.getAudioTracks()[0]?.getSettings().deviceId ?? null;
  }

  /** The context that it lives in. */
  get context() {
    return this.#sound.context;
  }

  get muted() {
    return this.#isMuted;
  }

  set muted(isMuted) {
    this.#isMuted = isMuted;
    if (isMuted) this.#level = 0;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !isMuted;
  }

  /**
   * Takes another device; the one in use stays if that fails. Rejects as `open` does.
   *
   * @param {string} [deviceId] By default the system's.
   */
  async use(deviceId) {
    this.#changes += 1;
    const change = this.#changes;
    const stream = await listen({ ...this.#options, deviceId });
    if (!this.#isOpen || change !== this.#changes) return stop(stream);
    this.#connect(stream);
    this.dispatchEvent(new Event("device"));
  }

  /** Stops listening; the browser's sign that somebody listens goes out. */
  async close() {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.onframe = null;
    this.#level = 0;
    this.#release();
    this.#node?.port.postMessage("close");
    if (this.#node) this.#node.port.onmessage = null;
    this.#node?.port.close();
    this.#node?.disconnect();
    this.#node = null;
    await this.#sound.close();
  }

  /** @param {number} frameMs */
  async #start(frameMs) {
    const url = this.#options.workletUrl ?? new URL("./worklets/microphone.js", import.meta.url);
    const asked = listen(this.#options);
    const [loaded, heard] = await Promise.allSettled([
      this.#sound.load(url, "no_microphone"),
      asked,
    ]);
    if (heard.status === "rejected") throw heard.reason;
    if (loaded.status === "rejected" || !this.#isOpen) {
      stop(heard.value);
      throw loaded.status === "rejected" ? loaded.reason : closed();
    }
    this.#node = new AudioWorkletNode(this.#sound.context, "antiphon-microphone", {
      numberOfInputs: 1,
      // One that nothing listens to is pulled all the same only as long as it has an output.
      numberOfOutputs: 1,
      processorOptions: { frameMs },
    });
    this.#node.port.onmessage = ({ data }) => this.#take(data);
    this.#node.connect(this.#sound.context.destination);
    this.#connect(heard.value);
    await this.#sound.settled();
  }

  /** @param {Frame} frame */
  #take({ pcm, level, capturedAt }) {
    const bytes = new Uint8Array(pcm);
    // What is on its way when the button is pressed is nobody's business either.
    if (this.#isMuted) bytes.fill(0);
    this.#level = this.#isMuted ? 0 : level;
    this.onframe?.(bytes, capturedAt);
  }

  /** @param {MediaStream} stream */
  #connect(stream) {
    this.#release();
    this.#stream = stream;
    for (const track of stream.getAudioTracks()) {
      track.enabled = !this.#isMuted;
      track.onended = () => void this.#lose(stream);
    }
    this.#source = this.#sound.context.createMediaStreamSource(stream);
    if (this.#node) this.#source.connect(this.#node);
  }

  #release() {
    this.#source?.disconnect();
    this.#source = null;
    if (this.#stream) stop(this.#stream);
    this.#stream = null;
  }

  /** @param {MediaStream} stream */
  async #lose(stream) {
    if (!this.#isOpen || stream !== this.#stream) return;
    this.#release();
    this.dispatchEvent(new Event("lost"));
    try {
      await this.use();
    } catch (detail) {
      if (this.#isOpen) this.dispatchEvent(new CustomEvent("failed", { detail }));
    }
  }
}

/**
 * @param {MicrophoneOptions} options
 * @returns {Promise<MediaStream>}
 */
async function listen(options) {
  const { deviceId, echoCancellation = true } = options;
  const { noiseSuppression = true, autoGainControl = true } = options;
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new AntiphonError(
      "no_microphone",
      "a page may use the microphone only over https or on localhost",
    );
  }
  const audio = {
    echoCancellation,
    noiseSuppression,
    autoGainControl,
    channelCount: 1,
    ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
  };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : "";
    const reason = REASONS.get(name) ?? `the microphone cannot be used: ${described(cause)}`;
    throw new AntiphonError("no_microphone", reason, { cause });
  }
}

/** @param {MediaStream} stream */
function stop(stream) {
  for (const track of stream.getTracks()) {
    track.onended = null;
    track.stop();
  }
}

const closed = () => new AntiphonError("no_microphone", "the microphone was closed");
