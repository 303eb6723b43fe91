// What the tests of sound do in a page: it is put before each of their scripts.

/** Every block that comes out of a node, and when: seconds of the context. */
async function recorder(node) {
  const source = `registerProcessor("recorder", class extends AudioWorkletProcessor {
    process(inputs) {
      const block = inputs[0][0];
      if (block) this.port.postMessage({ at: currentTime, block: block.slice() });
      return true;
    }
  })`;
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  await node.context.audioWorklet.addModule(url);
  const listener = new AudioWorkletNode(node.context, "recorder");
  const blocks = [];
  listener.port.onmessage = ({ data }) => blocks.push(data);
  node.connect(listener).connect(node.context.destination);
  return blocks;
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for an event, and gives its detail. */
const once = (target, type) =>
  new Promise((resolve) => target.addEventListener(type, ({ detail }) => resolve(detail), { once: true }));

/** Waits until something holds. */
async function until(holds) {
  while (!holds()) await wait(5);
}

/** Samples as base64 of int16. */
function packed(antiphon, blocks) {
  const all = blocks.flatMap(({ block }) => [...block]);
  const samples = Int16Array.from(all, (sample) => Math.round(sample * 32768));
  return antiphon.toBase64(new Uint8Array(samples.buffer));
}

const percentile = (numbers, part) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(part * (numbers.length - 1))];
