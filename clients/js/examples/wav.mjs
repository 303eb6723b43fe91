// Reads and writes WAV files: just enough for the example beside it.

export const RATE = 24_000;

/** The first channel of a file with 16-bit samples, at 24 kHz. */
export function readWav(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = (at) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || name(0) !== "RIFF" || name(8) !== "WAVE") {
    throw new Error("this is no WAV file");
  }
  let format = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (name(at) === "fmt ") {
      const [kind, channels] = [view.getUint16(body, true), view.getUint16(body + 2, true)];
      format = { kind, channels, rate: view.getUint32(body + 4, true) };
      if (view.getUint16(body + 14, true) !== 16) throw new Error("its samples are not 16-bit");
    }
    if (name(at) === "data" && format) {
      const end = Math.min(body + size, bytes.length);
      return resampled(firstChannel(view, body, end, format.channels), format.rate);
    }
    at = body + size + (size % 2);
  }
  throw new Error("there is no sound in it");
}

function firstChannel(view, start, end, channels) {
  const count = Math.floor((end - start) / 2 / channels);
  return Int16Array.from({ length: count }, (_, index) =>
    view.getInt16(start + index * 2 * channels, true),
  );
}

/** By straight lines between the samples: good enough to be understood. */
function resampled(samples, rate) {
  if (rate === RATE) return samples;
  const step = rate / RATE;
  const last = samples.length - 1;
  return Int16Array.from({ length: Math.floor(samples.length / step) }, (_, index) => {
    const at = Math.min(index * step, last);
    const low = Math.floor(at);
    const next = samples[Math.min(low + 1, last)];
    return Math.round(samples[low] + (next - samples[low]) * (at - low));
  });
}

/** A mono file of PCM at 24 kHz. */
export function writeWav(pcm) {
  const head = new DataView(new ArrayBuffer(44));
  const put = (at, text) => [...text].forEach((c, i) => head.setUint8(at + i, c.charCodeAt(0)));
  put(0, "RIFF");
  head.setUint32(4, 36 + pcm.length, true);
  put(8, "WAVEfmt ");
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true);
  head.setUint16(22, 1, true);
  head.setUint32(24, RATE, true);
  head.setUint32(28, RATE * 2, true);
  head.setUint16(32, 2, true);
  head.setUint16(34, 16, true);
  put(36, "data");
  head.setUint32(40, pcm.length, true);
  return Buffer.concat([Buffer.from(head.buffer), pcm]);
}
