// What nobody of good will sends: queries of every kind, mutated, cut off, joined, with pointers
// and counts that lie. The same for the same seed.
import { TsigSigner } from '../../../dns/tsig/tsig.ts';
import type { Random } from '../../../shared/random.ts';
import {
  bytesOf,
  ecsHex,
  hexOf,
  nameHex,
  optHex,
  optionHex,
  queryHex,
  questionHex,
} from './answer/packets.ts';

const NOTIFY = 4;
const UPDATE = 5;
const STATUS = 2;
const HEADER_BYTES = 12;
const COOKIE = '0102030405060708';

const ask = (name: string, type = 1, ...records: string[]) =>
  bytesOf(queryHex({ question: questionHex(name, type) }, ...records));
const withOpcode = (opcode: number, message: Uint8Array) =>
  message.with(2, ((message[2] ?? 0) & 0x87) | (opcode << 3));

function ixfr(zone: string): Uint8Array {
  const question = questionHex(zone, 251);
  const soa = `${nameHex(zone)}0006 0001 00000000 0016 0000 00000001${'00'.repeat(16)}`;
  return bytesOf(queryHex({ question, counts: '0001 0000 0001 0000' }) + soa);
}

/** Of zones example.com and site.test; signed by `key` where they are signed. */
export function hostileCorpus(key: ConstructorParameters<typeof TsigSigner>[0]): Uint8Array[] {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const signed = (bytes: Uint8Array) => new TsigSigner(key).sign(bytes, nowSeconds);
  const cookieOnly = { counts: '0000 0000 0000 0001', question: '' };
  const labels = ['a', 'b', 'c'].map((letter) => letter.repeat(63));
  const plain = [
    ask('www.example.com'),
    ask('big.example.com', 16),
    ask('nothing.example.com'),
    ask('example.com', 255),
    ask('www.example.com', 252),
    ask(`${labels.join('.')}.example.com`),
    ask('.'),
    ixfr('example.com'),
  ];
  const withOptions = [
    optionHex(10, COOKIE),
    optionHex(10, COOKIE.repeat(3)),
    ecsHex(1, 24, '0a0101'),
    ecsHex(2, 56, '20010db8000000'),
    optionHex(3) + optionHex(11) + optionHex(12, '00'.repeat(20)),
  ].map((options) => ask('www.site.test', 1, optHex({ options })));
  return [
    ...plain,
    ...withOptions,
    ask('example.com', 48, optHex({ flags: 0x8000, bytes: 65535 })),
    bytesOf(queryHex(cookieOnly, optHex({ options: optionHex(10, COOKIE) }))),
    bytesOf(queryHex({ question: `${nameHex('id.server')}00100003` })),
    ...[NOTIFY, UPDATE, STATUS].map((opcode) => withOpcode(opcode, ask('example.com', 6))),
    ...plain.slice(0, 1).map(signed),
    signed(ixfr('site.test')),
    signed(withOpcode(NOTIFY, ask('site.test', 6))),
  ];
}

/** One of them, changed, with this id when it is long enough for one. */
export function mutated(corpus: readonly Uint8Array[], random: Random, id: number): Uint8Array {
  const any = () => corpus[random.integer(corpus.length)] ?? new Uint8Array(HEADER_BYTES);
  const bytes = reshaped(any().slice(), any(), random);
  const changes = random.integer(6);
  for (let left = bytes.length > 2 ? changes : 0; left > 0; left--) {
    bytes[2 + random.integer(bytes.length - 2)] = random.integer(256);
  }
  if (bytes.length >= 2) bytes.set([id >>> 8, id & 255]);
  return bytes;
}

function reshaped(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  switch (random.integer(6)) {
    case 0: // cut off
      return bytes.slice(0, random.integer(bytes.length + 1));
    case 1: // longer than it says
      return Uint8Array.from([...bytes, ...random.bytes(random.integer(600))]);
    case 2: // a pointer, to itself maybe
      bytes.set([0xc0, random.integer(bytes.length)], 2 + random.integer(bytes.length - 4));
      return bytes;
    case 3: // a count that lies
      bytes[4 + random.integer(8)] = random.integer(256);
      return bytes;
    case 4: // two in one
      return Uint8Array.from([...bytes, ...other.subarray(HEADER_BYTES)]).with(11, 2);
    default:
      return bytes;
  }
}

/** Why it may not be the answer to `query`; undefined: it may. */
export function illegal(query: Uint8Array | undefined, answer: Uint8Array): string | undefined {
  const shown = () => ` ${hexOf(query ?? new Uint8Array())} -> ${hexOf(answer).slice(0, 200)}`;
  const flags = (of: Uint8Array | undefined) => of?.[2] ?? 0;
  if (query === undefined) return `nothing was asked, or it was answered twice:${shown()}`;
  if (query.length < HEADER_BYTES) return `less than a header is answered:${shown()}`;
  if ((flags(query) & 0x80) !== 0) return `an answer is answered:${shown()}`;
  if (answer.length < HEADER_BYTES || (flags(answer) & 0x80) === 0) return `no answer:${shown()}`;
  if (((flags(query) ^ flags(answer)) & 0x78) !== 0) return `another opcode:${shown()}`;
  return answer.length > 1232 ? `${answer.length} bytes:${shown()}` : undefined;
}
