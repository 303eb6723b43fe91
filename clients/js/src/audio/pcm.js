/** Samples between -1 and 1, and int16 little-endian bytes. */

/** Samples of a second on the wire (protocol section 7.1). */
export const RATE = 24_000;

const FULL = 32_768;

/**
 * Samples as int16 little-endian. What is beyond full scale is clipped; what is no number is
 * silence.
 *
 * @param {Float32Array} samples
 * @param {number} [count] So many of them.
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function toPcm(samples, count = samples.length) {
  const pcm = new Uint8Array(count * 2);
  for (let index = 0; index < count; index += 1) {
    const scaled = Math.round((samples[index] ?? 0) * FULL);
    const value = scaled > FULL - 1 ? FULL - 1 : scaled < -FULL ? -FULL : scaled;
    // A bitwise operator makes 0 of NaN.
    pcm[index * 2] = value & 0xff;
    pcm[index * 2 + 1] = (value >> 8) & 0xff;
  }
  return pcm;
}

/**
 * Int16 little-endian as samples; half a sample at the end is left out.
 *
 * @param {Uint8Array} pcm
 * @returns {Float32Array<ArrayBuffer>}
 */
export function fromPcm(pcm) {
  const samples = new Float32Array(pcm.length >> 1);
  for (let index = 0; index < samples.length; index += 1) {
    const low = pcm[index * 2] ?? 0;
    const high = pcm[index * 2 + 1] ?? 0;
    samples[index] = (((high << 24) >> 16) | low) / FULL;
  }
  return samples;
}
