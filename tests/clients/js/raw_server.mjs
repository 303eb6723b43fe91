/** A small WebSocket server (RFC 6455) that says what a test tells it to, right or wrong. */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const [TEXT, BINARY, CLOSE, PING, PONG] = [1, 2, 8, 9, 10];

export const CONFIG = {
  id: "sess_1",
  system_prompt: "",
  greeting: null,
  input: { type: "audio", format: { encoding: "audio/pcm", sample_rate: 24000 } },
  output: { type: "audio", voice: "anna", format: { encoding: "audio/pcm", sample_rate: 24000 } },
  tools: [],
  llm: [],
  pre_connect_requests: [],
};

/** One frame as a server sends it: unmasked, whole. */
export function frameOf(payload, opcode = TEXT) {
  const body = Buffer.from(payload);
  const head = Buffer.alloc(body.length < 126 ? 2 : body.length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (head.length === 2) head[1] = body.length;
  else if (head.length === 4) {
    head[1] = 126;
    head.writeUInt16BE(body.length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(body.length), 2);
  }
  return Buffer.concat([head, body]);
}

/** The server's end of one connection. */
export class Peer {
  /** Every message that came, in order; `taken` of them were asked for. */
  received = [];
  closeCode = null;
  #taken = 0;
  #bytes = Buffer.alloc(0);
  #wake = () => {};

  constructor(request, socket) {
    this.socket = socket;
    this.url = new URL(request.url, "http://peer");
    this.gone = new Promise((resolve) => socket.once("close", resolve));
    socket.on("data", (bytes) => this.#read(bytes));
    socket.on("error", () => {});
    socket.on("close", () => this.#wake());
  }

  get token() {
    return this.url.searchParams.get("token");
  }

  /** The next message of a type; others are passed over. */
  async receive(type) {
    for (;;) {
      while (this.#taken < this.received.length) {
        const message = this.received[this.#taken++];
        if (message.type === type) return message;
      }
      if (this.socket.destroyed) throw new Error(`gone before ${type}`);
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  send(...messages) {
    for (const message of messages) this.raw(frameOf(JSON.stringify(message)));
  }

  raw(bytes) {
    this.socket.write(bytes);
  }

  binary(bytes) {
    this.raw(frameOf(bytes, BINARY));
  }

  /** Takes the first update and starts the session. */
  async accept(ready = {}) {
    const { session } = await this.receive("session.update");
    const config = { ...CONFIG, ...(session?.tools ? { tools: session.tools } : {}) };
    this.send({ type: "session.updated", timestamp: 1, config });
    this.ready({ config, ...ready });
    return session;
  }

  /** Lets a client resume, with this token for the next time. */
  async takeBack(resume_token = "rt_2") {
    const asked = await this.receive("session.resume");
    this.ready({ resume_token, expires_at: 2 });
    return asked;
  }

  ready(fields = {}) {
    this.send({
      type: "session.ready",
      timestamp: 1,
      session_id: "sess_1",
      expires_at: 1,
      resume_token: "rt_1",
      config: CONFIG,
      ...fields,
    });
  }

  /** Waits for the goodbye and answers it. */
  async end() {
    await this.receive("session.end");
    this.send(ENDED);
    this.close(1000);
  }

  close(code, reason = "") {
    const body = Buffer.alloc(2);
    body.writeUInt16BE(code);
    this.socket.end(frameOf(Buffer.concat([body, Buffer.from(reason)]), CLOSE));
  }

  /** A TCP reset, once what was sent before is out. */
  async reset() {
    await new Promise((resolve) => this.socket.write("", resolve));
    await this.pinged();
    this.socket.resetAndDestroy();
  }

  /** Hears and says nothing any more, as behind a cable that was cut. */
  vanish() {
    this.socket.pause();
    this.socket.removeAllListeners("data");
  }

  /** The client has read everything up to here. */
  async pinged() {
    this.raw(frameOf("", PING));
    await new Promise((resolve) => {
      this.ponged = resolve;
    });
  }

  #read(bytes) {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (let frame = this.#next(); frame; frame = this.#next()) this.#take(frame);
    this.#wake();
  }

  #next() {
    const bytes = this.#bytes;
    if (bytes.length < 2) return null;
    const short = bytes[1] & 0x7f;
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length < start + 4) return null;
    const long = () => (start === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2)));
    const size = start === 2 ? short : long();
    if (bytes.length < start + 4 + size) return null;
    const mask = bytes.subarray(start, start + 4);
    const payload = Buffer.from(bytes.subarray(start + 4, start + 4 + size));
    for (let index = 0; index < size; index += 1) payload[index] ^= mask[index % 4];
    this.#bytes = bytes.subarray(start + 4 + size);
    return { opcode: bytes[0] & 0x0f, payload };
  }

  #take({ opcode, payload }) {
    if (opcode === TEXT) this.received.push(JSON.parse(payload.toString()));
    if (opcode === PONG) this.ponged?.();
    if (opcode === CLOSE) {
      this.closeCode = payload.length >= 2 ? payload.readUInt16BE() : 1005;
      if (this.socket.writable) this.socket.end(frameOf(payload.subarray(0, 2), CLOSE));
    }
  }
}

export const ENDED = {
  type: "session.ended",
  timestamp: 9,
  session_duration_seconds: 1.5,
  audio_duration_seconds: 0.5,
};

/**
 * A server that runs a script for each connection, one after the other; the last for all that
 * follow. It is shut at the end of the test, which fails with what a script threw, unless the
 * client simply went away.
 */
export async function serving(t, ...scripts) {
  const server = createServer((_, answer) => answer.writeHead(404).end());
  const at = { url: "", peers: [], upgrades: 0 };
  const failures = [];
  server.on("upgrade", (request, socket) => {
    const script = scripts[Math.min(at.upgrades, scripts.length - 1)];
    at.upgrades += 1;
    const accept = createHash("sha1").update(request.headers["sec-websocket-key"] + GUID);
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`,
    );
    const peer = new Peer(request, socket);
    at.peers.push(peer);
    Promise.resolve(script(peer)).catch((error) => {
      if (!socket.destroyed) failures.push(error);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  at.url = `ws://127.0.0.1:${server.address().port}`;
  t.after(async () => {
    for (const peer of at.peers) peer.socket.destroy();
    server.close();
    if (failures.length) throw failures[0];
  });
  return at;
}

/** A server that answers a connection with bytes of its own; its address. */
export async function tcp(t, answer) {
  const sockets = new Set();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    answer(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `ws://127.0.0.1:${server.address().port}`;
}
