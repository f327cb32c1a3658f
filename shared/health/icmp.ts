// ICMP echo (RFC 792, RFC 4443 §4): whether an address answers a ping. One raw socket a family for
// all questions; an answer is told by identifier, sequence number and source.
import raw from 'raw-socket';
import type { Clock } from '../clock.ts';
import { OperationalError } from '../errors.ts';
import { formatIpv4, type Ipv4 } from '../net/ipv4.ts';
import { parseIpv6 } from '../net/ipv6.ts';

const ECHO_BYTES = 40;
const MAX_PENDING = 4096;

type Family = {
  protocol: number;
  addressFamily: number;
  request: number;
  reply: number;
  /** The kernel hands over the header of IPv4, not that of IPv6. */
  hasHeader: boolean;
};

const families = {
  4: {
    protocol: raw.Protocol.ICMP,
    addressFamily: raw.AddressFamily.IPv4,
    request: 8,
    reply: 0,
    hasHeader: true,
  },
  6: {
    protocol: raw.Protocol.ICMPv6,
    addressFamily: raw.AddressFamily.IPv6,
    request: 128,
    reply: 129,
    hasHeader: false,
  },
} as const satisfies Record<number, Family>;

export type IpVersion = keyof typeof families;

/** `unsent`: why it could not be asked. */
export type EchoAnswer = 'answered' | 'silent' | { unsent: string };

export interface Echo {
  /** Once it is not, nothing can be asked any more. */
  readonly isOpen: boolean;
  /** False also when it could not be asked. At most 4096 questions are open at once. */
  ping(address: Ipv4, timeoutMs: number): Promise<boolean>;
  /** An address of the socket's family, as text. */
  ask(address: string, timeoutMs: number): Promise<EchoAnswer>;
  close(): void;
}

type Pending = { source: string; done: (answer: EchoAnswer) => void };

/** Needs CAP_NET_RAW: throws EDGE_ICMP. `identifier`: 16 bits that tell our echoes from others'. */
export function openEcho(clock: Clock, identifier: number, version: IpVersion = 4): Echo {
  const family = families[version];
  const socket = openSocket(family);
  const pending = new Map<number, Pending>();
  let sequence = 0;
  let isOpen = true;
  const end = (unsent: string): void => {
    isOpen = false;
    for (const { done } of pending.values()) done({ unsent });
  };
  socket.on('error', () => {}); // what is asked meanwhile times out
  socket.on('close', () => end('the socket failed')); // the package does so when polling fails
  socket.on('message', (message, source) => {
    const answered = readReply(message, identifier, version);
    const question = answered === undefined ? undefined : pending.get(answered);
    if (question?.source === canonical(source)) question.done('answered');
  });
  const ask = (address: string, timeoutMs: number): Promise<EchoAnswer> => {
    if (!isOpen) return Promise.resolve({ unsent: 'the socket is closed' });
    if (pending.size >= MAX_PENDING) return Promise.resolve({ unsent: 'too many echoes' });
    sequence = (sequence + 1) & 0xffff;
    const own = sequence;
    const { promise, resolve } = Promise.withResolvers<EchoAnswer>();
    const cancel = clock.after(timeoutMs, () => done('silent'));
    const done = (answer: EchoAnswer): void => {
      cancel();
      pending.delete(own);
      resolve(answer);
    };
    pending.get(own)?.done('silent'); // asked 65,536 questions ago
    pending.set(own, { source: canonical(address), done });
    const message = echoRequest(identifier, own, version);
    socket.send(message, 0, message.length, address, (error) => {
      if (error !== null) done({ unsent: error.message.toLowerCase() });
    });
    return promise;
  };
  return {
    get isOpen() {
      return isOpen;
    },
    ask,
    ping: async (address, timeoutMs) => (await ask(formatIpv4(address), timeoutMs)) === 'answered',
    close() {
      end('closed');
      socket.close();
    },
  };
}

/** One text for each address: IPv6 has many. */
function canonical(address: string): string {
  return address.includes(':') ? String(parseIpv6(address)) : address;
}

export function echoRequest(identifier: number, sequence: number, version: IpVersion = 4): Buffer {
  const message = Buffer.alloc(ECHO_BYTES);
  message.writeUInt8(families[version].request, 0);
  message.writeUInt16BE(identifier, 4);
  message.writeUInt16BE(sequence, 6);
  if (version === 6) return message; // the kernel computes its checksum (RFC 3542 §3.1)
  return raw.writeChecksum(message, 2, raw.createChecksum(message));
}

/** The sequence number of an echo reply to us; one of IPv4 begins with its header. */
export function readReply(
  message: Uint8Array,
  identifier: number,
  version: IpVersion = 4,
): number | undefined {
  const { hasHeader, reply } = families[version];
  const at = hasHeader ? ((message[0] ?? 0) & 0x0f) * 4 : 0;
  if (message.length < at + 8 || message[at] !== reply) return undefined;
  const u16 = (offset: number) => ((message[offset] ?? 0) << 8) | (message[offset + 1] ?? 0);
  return u16(at + 4) === identifier ? u16(at + 6) : undefined;
}

function openSocket({ protocol, addressFamily }: Family): ReturnType<typeof raw.createSocket> {
  try {
    return raw.createSocket({ protocol, addressFamily });
  } catch (cause) {
    throw new OperationalError('EDGE_ICMP', 'ICMP cannot be sent', {
      cause,
      exitCode: 77,
      remedy: 'CAP_NET_RAW',
    });
  }
}
