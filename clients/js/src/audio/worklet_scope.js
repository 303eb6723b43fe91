/** What an AudioWorklet sees, for the compiler: its library of browser types leaves it out. */

/**
 * @typedef {object} Scope
 * @property {number} sampleRate of the context
 * @property {number} currentTime seconds of the context
 * @property {new () => { readonly port: MessagePort }} AudioWorkletProcessor
 * @property {(name: string, processor: new (options: any) => Processor) => void} registerProcessor
 */

/**
 * @typedef {object} Processor
 * @property {(inputs: Float32Array[][], outputs: Float32Array[][]) => boolean} process
 */

export const scope = /** @type {Scope} */ (/** @type {unknown} */ (globalThis));
