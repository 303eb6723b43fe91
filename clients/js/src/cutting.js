/**
 * Cutting a socket whose other end does not answer. A browser does it by itself. Node's own
 * WebSocket waits for the answer to its closing as long as TCP does, a quarter of an hour, and
 * the program with it; the socket beneath is told by Node's diagnostics channels.
 */

/** @import { WebSocketLike } from "../types/index.js" */

/** How long a closing handshake may take before the socket is cut. */
const CLOSE_MS = 1000;
const CLOSED = 3;

/**
 * The little of Node that is used here.
 *
 * @typedef {{ localPort?: number, destroy(): void }} RawSocket
 * @typedef {(message: any) => void} Subscriber
 * @typedef {{
 *   subscribe(channel: string, subscriber: Subscriber): void,
 *   unsubscribe(channel: string, subscriber: Subscriber): void,
 * }} Channels
 * @typedef {{ getBuiltinModule?: (name: string) => Channels | undefined }} NodeProcess
 */

/**
 * Makes a socket, and a function that closes it and, where nobody answers, cuts it.
 *
 * @param {() => WebSocketLike} make
 * @returns {{ socket: WebSocketLike, close: (code: number) => void }}
 */
export function cuttable(make) {
  const { process } = /** @type {{ process?: NodeProcess }} */ (globalThis);
  const channels = process?.getBuiltinModule?.("node:diagnostics_channel");
  const socket = /** @type {WebSocketLike & { terminate?: () => void }} */ (make());
  const raw = channels && !socket.terminate ? watch(socket, channels) : null;
  const close = (/** @type {number} */ code) => {
    socket.close(code);
    if (!channels) return;
    if (socket.readyState === CLOSED) return void raw?.();
    const timer = setTimeout(() => {
      socket.terminate?.();
      raw?.()?.destroy();
    }, CLOSE_MS);
    socket.onclose = () => {
      clearTimeout(timer);
      raw?.();
    };
    // A program that has nothing else to do need not wait, unless the socket is still there.
    /** @type {{ unref?: () => void }} */ (timer).unref?.();
  };
  return { socket, close };
}

/**
 * Finds the socket beneath: the one among those that connect meanwhile which has the port that
 * the WebSocket tells when it opens. Who asks for it ends the search.
 *
 * @param {WebSocketLike} socket
 * @param {Channels} channels
 * @returns {() => RawSocket | null}
 */
function watch(socket, channels) {
  /** @type {RawSocket[]} */
  let connected = [];
  /** @type {RawSocket | null} */
  let found = null;
  /** @type {Subscriber} */
  const notice = (message) => connected.push(message.socket);
  /** @type {Subscriber} */
  const match = ({ websocket, address }) => {
    if (websocket !== socket) return;
    found = connected.find(({ localPort }) => localPort === address.port) ?? null;
    forget();
  };
  const forget = () => {
    connected = [];
    channels.unsubscribe("undici:client:connected", notice);
    channels.unsubscribe("undici:websocket:open", match);
  };
  channels.subscribe("undici:client:connected", notice);
  channels.subscribe("undici:websocket:open", match);
  return () => {
    forget();
    return found;
  };
}
