/**
 * The AudioWorklet behind `Microphone`: what it hears as frames for the wire.
 *
 * @typedef {{ pcm: ArrayBuffer, level: number, capturedAt: number }} Frame `capturedAt`: when its
 *   last sample was heard, in seconds of the context
 */

import { Capture } from "../audio/capture.js";
import { scope } from "../audio/worklet_scope.js";

/** Samples of a block, where there is no input to count them. */
const BLOCK = 128;
/** @type {Float32Array[]} */
const NOTHING = [];

class AntiphonMicrophone extends scope.AudioWorkletProcessor {
  #isOpen = true;

  /** @param {{ processorOptions: { frameMs: number } }} options */
  constructor({ processorOptions }) {
    super();
    this.capture = new Capture(scope.sampleRate, processorOptions.frameMs, (pcm, level) => {
      const capturedAt = scope.currentTime;
      this.port.postMessage({ pcm: pcm.buffer, level, capturedAt }, [pcm.buffer]);
    });
    // The only message there is: the end.
    this.port.onmessage = () => {
      this.#isOpen = false;
    };
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    // A microphone that is being changed is silent: the agent's clock is the sound it gets.
    const channels = inputs[0] ?? NOTHING;
    if (this.#isOpen) this.capture.take(channels, channels[0]?.length ?? BLOCK);
    return this.#isOpen;
  }
}

scope.registerProcessor("antiphon-microphone", AntiphonMicrophone);
