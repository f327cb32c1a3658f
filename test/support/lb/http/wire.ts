// One end of a TCP connection, as a test's script uses it: says bytes, and waits for what the other
// end says. Text is latin1, so that every byte is a character. It reads HTTP/1.1 by itself, in the
// simplest way, so that what is under test is not judged by its own parser.
import { connect, type Socket } from 'node:net';
import { until } from '../../../../lab/ready.ts';

/** A message as it came; `head` without the empty line, `body` as content, `trailers` as lines. */
export type Message = { head: string; body: string; trailers: string };

const STEP = { everyMs: 1 };

export class Wire {
  readonly socket: Socket;
  /** What has come and was not taken yet. */
  received = '';
  /** Bytes that ever came. */
  receivedBytes = 0;
  /** How the other end went, or `open`. */
  state: 'open' | 'ended' | 'reset' | 'closed' = 'open';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.received += bytes.toString('latin1');
      this.receivedBytes += bytes.length;
    });
    socket.on('end', () => {
      this.state = 'ended';
    });
    socket.on('error', () => {
      this.state = 'reset';
    });
    socket.on('close', () => {
      if (this.state === 'open') this.state = 'closed';
    });
  }

  static async connect(port: number, options: { from?: string } = {}): Promise<Wire> {
    const socket = connect({
      port,
      host: '127.0.0.1',
      allowHalfOpen: true,
      noDelay: true,
      ...(options.from === undefined ? {} : { localAddress: options.from }),
    });
    const wire = new Wire(socket);
    await until('the connection stands', () => !socket.connecting, STEP);
    return wire;
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** FIN; the other direction stays open. */
  end(): void {
    this.socket.end();
  }

  /** RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Everything up to the end of `text`, once it has come. */
  async to(text: string): Promise<string> {
    await this.#wait(JSON.stringify(text), () => this.received.includes(text));
    return this.#take(this.received.indexOf(text) + text.length);
  }

  /** Once so many bytes have come. */
  async bytes(count: number): Promise<string> {
    await this.#wait(`${count} bytes`, () => this.received.length >= count);
    return this.#take(count);
  }

  /** A head, without its empty line. */
  async head(): Promise<string> {
    return (await this.to('\r\n\r\n')).slice(0, -4);
  }

  /**
   * A whole message. `bodiless`: of HEAD. A response without a length is read to the end of the
   * connection.
   */
  async message(options: { bodiless?: boolean } = {}): Promise<Message> {
    const head = await this.head();
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
    const isBodiless =
      options.bodiless === true || status === 204 || status === 304 || (status > 0 && status < 200);
    if (isBodiless) return { head, body: '', trailers: '' };
    if (/^transfer-encoding: *chunked$/im.test(head)) return { head, ...(await this.#chunked()) };
    const length = /^content-length: *(\d+)$/im.exec(head)?.[1];
    if (length !== undefined) {
      return { head, body: await this.bytes(Number(length)), trailers: '' };
    }
    return { head, body: status === 0 ? '' : await this.ended(), trailers: '' };
  }

  /** What else comes until the other end's FIN; a reset is an error. */
  async ended(): Promise<string> {
    await this.#wait('FIN', () => this.state !== 'open');
    if (this.state !== 'ended') throw new Error(`not ended but ${this.state}`);
    return this.#take(this.received.length);
  }

  /** Until the other end is gone, either way; how, and what came before. */
  async gone(): Promise<{ how: 'ended' | 'reset' | 'closed'; received: string }> {
    await this.#wait('the end of the connection', () => this.state !== 'open');
    const how = this.state === 'open' ? 'closed' : this.state;
    return { how, received: this.#take(this.received.length) };
  }

  async #chunked(): Promise<{ body: string; trailers: string }> {
    let body = '';
    for (;;) {
      const line = await this.to('\r\n');
      const size = Number.parseInt(line, 16);
      if (!/^[0-9a-f]+\r\n$/i.test(line)) throw new Error(`no chunk: ${JSON.stringify(line)}`);
      if (size === 0) break;
      body += await this.bytes(size);
      if ((await this.bytes(2)) !== '\r\n') throw new Error('a chunk does not end');
    }
    let trailers = '';
    for (;;) {
      const line = await this.to('\r\n');
      if (line === '\r\n') return { body, trailers };
      trailers += line;
    }
  }

  #take(count: number): string {
    const taken = this.received.slice(0, count);
    this.received = this.received.slice(count);
    return taken;
  }

  async #wait(what: string, probe: () => boolean): Promise<void> {
    if (probe()) return;
    try {
      await until(what, probe, STEP);
    } catch (error) {
      const tail = JSON.stringify(this.received.slice(-300));
      throw new Error(`${(error as Error).message}; ${this.state}, came: ${tail}`);
    }
  }
}
