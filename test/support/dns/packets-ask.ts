// One message to a name server and what comes back, byte for byte, over UDP and TCP.
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Endpoint } from '../../../shared/net/ports.ts';
import { bytesOf, hex16, queryHex, questionHex } from '../../unit/dns/answer/packets.ts';

const DEADLINE_MS = 10_000;
/** What no case asks: a query by which one knows that all before it were dealt with. */
const SENTINEL_ID = 0xbeef;
export const SENTINEL = queryHex({ id: SENTINEL_ID, question: questionHex('sentinel.invalid') });

export type AskOptions = {
  deadlineMs?: number;
  /** The address that asks. */
  from?: string | undefined;
};

/** What comes from exactly there; undefined when nothing came in time. */
export async function askUdp(
  to: Endpoint,
  query: string,
  options: AskOptions = {},
): Promise<Buffer | undefined> {
  const [first] = await collect(to, [bytesOf(query)], () => true, options);
  return first;
}

/**
 * What is answered to `query` by a server that deals with messages in order: a second query follows
 * it, which is answered, and then nothing more will come.
 */
export async function askInOrder(to: Endpoint, query: string): Promise<Buffer | undefined> {
  const isSentinel = (message: Buffer): boolean => message.readUInt16BE(0) === SENTINEL_ID;
  const queries = [bytesOf(query), bytesOf(SENTINEL)];
  const came = await collect(to, queries, isSentinel);
  if (!came.some(isSentinel)) throw new Error('the server does not answer');
  return came.find((message) => !isSentinel(message));
}

/** Until `isLast`, or until the time is up. */
function collect(
  { host, port }: Endpoint,
  queries: readonly Uint8Array[],
  isLast: (message: Buffer) => boolean,
  { deadlineMs = DEADLINE_MS, from }: AskOptions = {},
): Promise<Buffer[]> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const came: Buffer[] = [];
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      socket.close();
      resolve(came);
    };
    const timer = setTimeout(done, deadlineMs);
    socket.on('error', done);
    socket.on('message', (message) => {
      came.push(message);
      if (isLast(message)) done();
    });
    if (from !== undefined) socket.bind({ address: from });
    // Connected: an answer from another address than the one that was asked does not arrive.
    socket.connect(port, host, () => {
      for (const query of queries) socket.send(query);
    });
  });
}

/**
 * Writes the pieces, each when the one before has left, and resolves with the messages that came
 * until there are `wanted` of them or the server closed.
 */
export function askTcp(
  { host, port }: Endpoint,
  pieces: readonly Uint8Array[],
  wanted: number,
): Promise<Buffer[]> {
  const socket = connect({ host, port, noDelay: true });
  let bytes = Buffer.alloc(0);
  const came: Buffer[] = [];
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy(new Error(`${came.length} of ${wanted} answers came`));
    }, DEADLINE_MS);
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(came);
    });
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
        const end = 2 + bytes.readUInt16BE(0);
        came.push(bytes.subarray(2, end));
        bytes = bytes.subarray(end);
      }
      if (came.length >= wanted) socket.destroy();
    });
    writeEach(socket, pieces);
  });
}

async function writeEach(
  socket: ReturnType<typeof connect>,
  pieces: readonly Uint8Array[],
): Promise<void> {
  for (const piece of pieces) {
    await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
  }
}

/** As it travels over TCP. */
export function framed(query: string): Uint8Array {
  const bytes = bytesOf(query);
  return Uint8Array.from([...bytesOf(hex16(bytes.length)), ...bytes]);
}
