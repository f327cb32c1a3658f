// ICMP echo (RFC 792): whether an address answers a ping. One raw socket for all questions; an
// answer is told by identifier, sequence number and source.
import raw from 'raw-socket';
import type { Clock } from '../clock.ts';
import { OperationalError } from '../errors.ts';
import { formatIpv4, type Ipv4 } from '../net/ipv4.ts';

const ECHO_BYTES = 40;
const [ECHO_REPLY, ECHO_REQUEST] = [0, 8];
const MAX_PENDING = 4096;

export interface Echo {
  /** False also when it could not be asked. At most 4096 questions are open at once. */
  ping(address: Ipv4, timeoutMs: number): Promise<boolean>;
  close(): void;
}

type Pending = { address: string; done: (answered: boolean) => void };

/** Needs CAP_NET_RAW: throws EDGE_ICMP. `identifier`: 16 bits that tell our echoes from others'. */
export function openEcho(clock: Clock, identifier: number): Echo {
  const socket = openSocket();
  const pending = new Map<number, Pending>();
  let sequence = 0;
  socket.on('error', () => {}); // what is asked meanwhile times out
  socket.on('message', (message, source) => {
    const answered = readReply(message, identifier);
    const question = answered === undefined ? undefined : pending.get(answered);
    if (question?.address === source) question.done(true);
  });
  return {
    ping(address, timeoutMs) {
      if (pending.size >= MAX_PENDING) return Promise.resolve(false);
      sequence = (sequence + 1) & 0xffff;
      const own = sequence;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const cancel = clock.after(timeoutMs, () => done(false));
      const done = (answered: boolean): void => {
        cancel();
        pending.delete(own);
        resolve(answered);
      };
      pending.get(own)?.done(false); // asked 65,536 questions ago
      const text = formatIpv4(address);
      pending.set(own, { address: text, done });
      const message = echoRequest(identifier, own);
      socket.send(message, 0, message.length, text, (error) => {
        if (error !== null) done(false);
      });
      return promise;
    },
    close() {
      for (const { done } of pending.values()) done(false);
      socket.close();
    },
  };
}

export function echoRequest(identifier: number, sequence: number): Buffer {
  const message = Buffer.alloc(ECHO_BYTES);
  message.writeUInt8(ECHO_REQUEST, 0);
  message.writeUInt16BE(identifier, 4);
  message.writeUInt16BE(sequence, 6);
  return raw.writeChecksum(message, 2, raw.createChecksum(message));
}

/** The sequence number of an echo reply to us; the message begins with its IPv4 header. */
export function readReply(message: Uint8Array, identifier: number): number | undefined {
  const at = ((message[0] ?? 0) & 0x0f) * 4;
  if (message.length < at + 8 || message[at] !== ECHO_REPLY) return undefined;
  const u16 = (offset: number) => ((message[offset] ?? 0) << 8) | (message[offset + 1] ?? 0);
  return u16(at + 4) === identifier ? u16(at + 6) : undefined;
}

function openSocket(): ReturnType<typeof raw.createSocket> {
  try {
    return raw.createSocket({ protocol: raw.Protocol.ICMP });
  } catch (cause) {
    throw new OperationalError('EDGE_ICMP', 'ICMP cannot be sent', {
      cause,
      exitCode: 77,
      remedy: 'CAP_NET_RAW',
    });
  }
}
