// Calls over a WebSocket, for browsers: docs/websocket.md tells how it works.
const HEAD = 1, DATA = 2, TRAILERS = 3, RESET = 4, CREDIT = 5, GOAWAY = 6;
const END = 1, WINDOW = 65536, PIECE = 16384, CANCEL = 8;
const encode = (text) => new TextEncoder().encode(text);
const decode = (octets) => new TextDecoder().decode(octets);
const number = (value) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);

export class Farcall {
  streams = new Map();
  next = 1;

  constructor(url) {
    this.socket = new WebSocket(url, "farcall.v1");
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = (event) => this.receive(new Uint8Array(event.data));
    this.opened = new Promise((resolve, reject) => {
      this.socket.onopen = resolve;
      this.socket.onclose = ({ code, reason }) => {
        this.closed = new Error(`closed: ${code} ${reason}`);
        reject(this.closed);
        for (const stream of this.streams.values()) stream.fail(this.closed);
      };
    });
    this.opened.catch(() => {});
  }

  write(kind, stream, ...parts) {
    this.socket.send(concat([Uint8Array.of(kind), number(stream), ...parts]));
  }

  receive(message) {
    const [kind, flags, view] = [message[0], message[5], new DataView(message.buffer)];
    if (kind === GOAWAY) this.closed ??= new Error("the server is going away");
    const stream = this.streams.get(view.getUint32(1));
    if (!stream) return;
    if (kind === HEAD) Object.assign(stream.fields, fields(message.subarray(6)));
    if (kind === DATA) stream.queue.push(message.subarray(6));
    if (kind === TRAILERS) Object.assign(stream.trailers, fields(message.subarray(5)));
    if (kind === CREDIT) stream.credit += view.getUint32(5);
    if (kind === TRAILERS || ((kind === HEAD || kind === DATA) && flags & END)) stream.ended = true;
    if (kind === RESET && !stream.ended) {
      stream.fail(new Error(`reset ${view.getUint32(5)}: ${decode(message.subarray(9))}`));
    }
    stream.wake();
  }

  /** Opens a stream. */
  async open(path, more) {
    await this.opened;
    if (this.closed) throw this.closed;
    const stream = new Stream(this, this.next);
    this.next += 2;
    this.streams.set(stream.id, stream);
    const { host, protocol } = new URL(this.socket.url);
    const scheme = protocol === "wss:" ? "https" : "http";
    const head = { ":method": "POST", ":scheme": scheme, ":path": path, ":authority": host, ...more };
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\n`);
    this.write(HEAD, stream.id, Uint8Array.of(0), encode(lines.join("")));
    return stream;
  }

  /** A unary call: JSON there, JSON back. */
  async unary(path, message) {
    const head = { "content-type": "application/json", "connect-protocol-version": "1" };
    const stream = await this.open(path, head);
    await stream.send(encode(JSON.stringify(message)), true);
    const pieces = [];
    for await (const piece of stream.octets()) pieces.push(piece);
    const body = JSON.parse(decode(concat(pieces)));
    if (stream.fields[":status"] !== "200") throw Object.assign(new Error(body.message), body);
    return body;
  }

  /** A streaming call: `send(message)`, `finish()`, `cancel()`, and `for await` over the replies. */
  async stream(path) {
    const head = { "content-type": "application/connect+json", "connect-protocol-version": "1" };
    const stream = await this.open(path, head);
    const envelope = (octets) => concat([Uint8Array.of(0), number(octets.length), octets]);
    return {
      send: (message) => stream.send(envelope(encode(JSON.stringify(message)))),
      finish: () => stream.send(new Uint8Array(), true),
      cancel: () => stream.cancel(),
      [Symbol.asyncIterator]: () => messages(stream.octets()),
    };
  }
}

class Stream {
  fields = {}; trailers = {}; queue = []; waiting = [];
  credit = WINDOW; consumed = 0; ended = false; error = null;

  constructor(connection, id) { this.connection = connection; this.id = id; }
  pause() { return new Promise((resume) => this.waiting.push(resume)); }
  wake() { for (const resume of this.waiting.splice(0)) resume(); }
  close() { this.connection.streams.delete(this.id); }
  fail(error) { this.error ??= error; this.close(); this.wake(); }
  cancel() {
    if (!this.error) this.connection.write(RESET, this.id, number(CANCEL));
    this.fail(new Error("cancelled"));
  }

  /** Sends octets as credit comes. */
  async send(octets, end = false) {
    do {
      while (!this.error && this.credit === 0 && octets.length > 0) await this.pause();
      if (this.error) throw this.error;
      const piece = octets.subarray(0, Math.min(PIECE, this.credit));
      octets = octets.subarray(piece.length);
      this.credit -= piece.length;
      const last = end && octets.length === 0;
      this.connection.write(DATA, this.id, Uint8Array.of(last ? END : 0), piece);
    } while (octets.length > 0);
  }

  /** The body, piece by piece; what was taken is given back as credit. */
  async *octets() {
    for (;;) {
      while (!this.error && !this.ended && this.queue.length === 0) await this.pause();
      if (this.error) throw this.error;
      const piece = this.queue.shift();
      if (!piece) return this.close();
      yield piece;
      this.consumed += piece.length;
      if (this.consumed < WINDOW / 2 || this.ended) continue;
      this.connection.write(CREDIT, this.id, number(this.consumed));
      this.consumed = 0;
    }
  }
}

/** The messages in Connect's envelopes: one octet of flags, the length, the message. */
async function* messages(pieces) {
  let rest = new Uint8Array();
  for await (const piece of pieces) {
    rest = concat([rest, piece]);
    for (;;) {
      const size = rest.length < 5 ? Infinity : 5 + new DataView(rest.buffer).getUint32(1);
      if (rest.length < size) break;
      const message = JSON.parse(decode(rest.subarray(5, size)));
      if (!(rest[0] & 2)) yield message;
      else if (message.error) throw Object.assign(new Error(message.error.message), message.error);
      rest = rest.slice(size);
    }
  }
}

function fields(octets) {
  const lines = decode(octets).split("\n").slice(0, -1);
  return Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(":", 1);
    return [line.slice(0, colon), line.slice(colon + 2)];
  }));
}

function concat(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
}
