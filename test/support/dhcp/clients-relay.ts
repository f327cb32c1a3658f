// A relay made by hand: sends what it is told from giaddr:67 and reads what comes back. Its reading
// of replies is written apart from dhcpd/wire, which is measured with it.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { until } from '../../../lab/ready.ts';
import { formatIpv4, ipv4 } from '../../../shared/net/ipv4.ts';
import { type ClientFields, clientMessage } from './request.ts';

export type Answer = {
  xid: number;
  type: number;
  address: string;
  giaddr: string;
  nextServer: string;
  sname: string;
  file: string;
  mac: string;
  options: Map<number, Buffer>;
  /** In the order of the message. */
  codes: number[];
};

const OPTIONS_AT = 240;
/** A request is sent again so often, for a datagram may get lost. */
const TRIES = 5;
const TRY_MS = 1000;

const quad = (bytes: Buffer, at: number): string => formatIpv4(ipv4(bytes.readUInt32BE(at)));
const field = (bytes: Buffer): string => bytes.toString('latin1').split('\0')[0] ?? '';

export function readReply(bytes: Buffer): Answer {
  const options = new Map<number, Buffer>();
  const codes: number[] = [];
  for (let at = OPTIONS_AT; at < bytes.length && bytes[at] !== 255; ) {
    const code = bytes[at] ?? 0;
    const length = code === 0 ? -1 : (bytes[at + 1] ?? 0);
    if (code !== 0) {
      const value = bytes.subarray(at + 2, at + 2 + length);
      options.set(code, Buffer.concat([options.get(code) ?? Buffer.alloc(0), value]));
      codes.push(code);
    }
    at += length + 2;
  }
  return {
    xid: bytes.readUInt32BE(4),
    type: options.get(53)?.[0] ?? 0,
    address: quad(bytes, 16),
    nextServer: quad(bytes, 20),
    giaddr: quad(bytes, 24),
    mac: bytes
      .subarray(28, 34)
      .toString('hex')
      .replace(/..(?=.)/g, '$&:'),
    sname: field(bytes.subarray(44, 108)),
    file: field(bytes.subarray(108, 236)),
    options,
    codes,
  };
}

/** An option that is an address. */
export const told = ({ options }: Answer, code: number): string => {
  const value = options.get(code);
  return value?.length === 4 ? quad(value, 0) : '';
};

export const option82 = ({ options }: Answer): Buffer | undefined => options.get(82);

export class HandRelay {
  readonly address: string;
  readonly answers: Answer[] = [];
  /** Called with each answer as it comes. */
  onAnswer: (answer: Answer) => void = () => {};
  readonly #socket: Socket;
  #xid = 1;

  private constructor(address: string, socket: Socket) {
    this.address = address;
    this.#socket = socket;
    socket.on('message', (bytes) => {
      const answer = readReply(bytes);
      this.answers.push(answer);
      this.onAnswer(answer);
    });
    // A server that was killed: its machine says that nobody listens.
    socket.on('error', () => undefined);
  }

  static async open(address: string): Promise<HandRelay> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    socket.bind(67, address);
    await once(socket, 'listening');
    return new HandRelay(address, socket);
  }

  send(server: string, fields: ClientFields): Promise<void> {
    const bytes = clientMessage({ hops: 1, ...fields });
    return new Promise((resolve, reject) => {
      this.#socket.send(bytes, 67, server, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** The answer to it, which is sent again now and then; undefined: there is none. */
  async tried(server: string, fields: ClientFields, tries = TRIES): Promise<Answer | undefined> {
    const xid = fields.xid ?? this.#xid++;
    for (let left = tries; left > 0; left--) {
      const from = this.answers.length;
      await this.send(server, { ...fields, xid });
      const mine = () => this.answers.slice(from).find((answer) => answer.xid === xid);
      const answer = await until('an answer', mine, { timeoutMs: TRY_MS, everyMs: 2 }).catch(
        () => undefined, // the next try, or none
      );
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  async ask(server: string, fields: ClientFields): Promise<Answer> {
    const answer = await this.tried(server, fields);
    if (answer === undefined) throw new Error(`${server} did not answer`);
    return answer;
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
