/** A proxy in front of a real server, whose connections a test cuts. */

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Passes everything on to the server at `target`. */
export async function proxying(t, target) {
  const { hostname, port } = new URL(target);
  const pairs = new Set();
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    const pair = [client, server];
    pairs.add(pair);
    for (const [from, to] of [pair, pair.toReversed()]) {
      from.pipe(to);
      from.on("error", () => {});
      from.on("close", () => to.destroy());
    }
    client.on("close", () => pairs.delete(pair));
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const cut = (how) => {
    for (const pair of pairs) for (const socket of pair) socket[how]();
  };
  t.after(() => {
    cut("destroy");
    proxy.close();
  });
  return {
    url: `ws://127.0.0.1:${proxy.address().port}`,
    /** A TCP reset in both directions. */
    reset: () => cut("resetAndDestroy"),
  };
}
