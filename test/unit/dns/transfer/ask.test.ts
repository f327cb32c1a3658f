import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type Asking,
  askSerial,
  TRANSFER_BOUNDS,
  transferIn,
} from '../../../../dns/transfer/ask.ts';
import type { TcpBounds } from '../../../../dns/transfer/network.ts';
import { TsigSigner, verifyTsig } from '../../../../dns/tsig/tsig.ts';
import { until } from '../../../../lab/ready.ts';
import { ManualClock, systemClock } from '../../../../shared/clock.ts';
import { decodeMessage, encodeMessage } from '../../../../shared/dns/message.ts';
import type { Message } from '../../../../shared/dns/types.ts';
import { describeError } from '../../../../shared/errors.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { nameOf } from '../../../support/dns/resolve-rig.ts';
import { freePort, TransferRig } from '../../../support/dns/transfer-rig.ts';

// A primary that sends what the test makes of a right answer.

const ZONE = 'example.com';
const KEY = {
  name: nameOf('one.example'),
  algorithm: 'hmac-sha256',
  secret: new Uint8Array(32).fill(7),
} as const;
const HOSTS = 2500;
const zoneText = (serial: number) => `$TTL 300
@ SOA ns host ${serial} 3600 600 1209600 60
@ NS ns
${Array.from({ length: HOSTS }, (_, index) => `h${index} TXT "${index}"\n`).join('')}`;

const clean: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of clean.splice(0).reverse()) await each();
});

type Sent = readonly Uint8Array[];
type Spoil = (messages: Sent, request: Uint8Array) => Sent;

/** Answers every message over TCP; `after`: what becomes of the connection then. */
async function primary(spoil: Spoil, after: 'end' | 'stay' = 'stay'): Promise<number> {
  const rig = new TransferRig();
  rig.keys.set('one.example', KEY);
  rig.putText(ZONE, zoneText(7));
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', async (chunk) => {
      const request = chunk.subarray(2);
      for (const message of spoil(await rig.ask(request), request)) {
        socket.write(Uint8Array.of(message.length >>> 8, message.length & 255));
        socket.write(message);
      }
      if (after === 'end') socket.end();
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  clean.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return port;
}

function asking(port: number, rest: Partial<Asking> = {}): Asking {
  const { signal } = new AbortController();
  const from = { host: '127.0.0.1', port };
  return { from, zone: nameOf(ZONE), clock: systemClock, random: seededRandom(5), signal, ...rest };
}

const changed = (bytes: Uint8Array, change: (message: Message) => void): Uint8Array => {
  const message = decodeMessage(bytes);
  change(message);
  return encodeMessage(message);
};
/** Changes of the first question, of the second record. */
const asks = (type: number) => (message: Message) => {
  message.questions = message.questions.map((each) => ({ ...each, type }));
};
const isFrom = (owner: string) => (message: Message) => {
  message.answers = message.answers.map((each, index) =>
    index === 1 ? { ...each, owner: nameOf(owner) } : each,
  );
};
const first = (change: (message: Message) => void): Spoil => {
  return ([one = new Uint8Array(0), ...more]) => [changed(one, change), ...more];
};

describe('a transfer from a primary', () => {
  test.each([undefined, KEY])('comes whole, with key %o', async (key) => {
    const port = await primary((messages) => messages);
    const received = await transferIn(asking(port, key && { key }));
    expect(received).toMatchObject({ kind: 'whole', serial: 7 });
    expect(received.kind === 'whole' && received.records.count).toBe(HOSTS + 2);
  });

  const spoilt: [string, Spoil, string][] = [
    ['that ends before its last SOA', (messages) => messages.slice(0, -1), 'before the end'],
    ['with nothing', () => [], 'before the end'],
    ['of another ID', first((message) => (message.id ^= 1)), 'another ID'],
    ['that is a query', first((message) => (message.flags &= 0x7fff)), 'no response'],
    ['with TC', first((message) => (message.flags |= 0x0200)), 'cut off'],
    ['with SERVFAIL', first((message) => (message.flags |= 2)), 'SERVFAIL'],
    ['for another question', first(asks(1)), 'another question'],
    ['without the first record', first(({ answers }) => answers.shift()), 'does not begin'],
    [
      'without records in the first message',
      first(({ answers }) => answers.splice(0)),
      'begins with nothing',
    ],
    ['with a foreign name', first(isFrom('x')), 'another zone'],
    ['of a message that is none', (messages) => [new Uint8Array(40).fill(255), ...messages], ''],
  ];
  test.each(spoilt)('%s is refused', async (_, spoil, why) => {
    const port = await primary(spoil, 'end');
    const error = await transferIn(asking(port)).catch(describeError);
    expect(error).toContain(`example.com from 127.0.0.1:${port}: `);
    expect(error).toContain(why);
  });

  const resigned: Spoil = (messages, request) => {
    // As a server may: only the first and the last signed (RFC 8945 §5.3.1).
    const verdict = verifyTsig(request, () => KEY, Math.floor(Date.now() / 1000));
    if (verdict.state !== 'good') return [];
    const bare = messages.map((each) => changed(each, ({ additionals }) => additionals.pop()));
    return bare.map((each, index) => {
      if (index === 0 || index === bare.length - 1)
        return verdict.signer.sign(each, Date.now() / 1000);
      verdict.signer.pass(each);
      return each;
    });
  };
  test('is verified as a stream, of which not every message is signed', async () => {
    const port = await primary(resigned);
    const received = await transferIn(asking(port, { key: KEY }));
    expect(received).toMatchObject({ kind: 'whole', serial: 7 });
  });

  const unproved: [string, Spoil, string][] = [
    [
      'no signature',
      (messages) => messages.map((each) => changed(each, ({ additionals }) => additionals.pop())),
      'not signed',
    ],
    [
      'one letter changed',
      (messages, request) =>
        resigned(messages, request).map((each, index) => (index === 1 ? spoilLetter(each) : each)),
      'signature is wrong',
    ],
    [
      'a message left out',
      (messages, request) => resigned(messages, request).toSpliced(1, 1),
      'signature is wrong',
    ],
    [
      'the last message unsigned',
      (messages, request) => {
        const all = resigned(messages, request);
        return all.with(
          -1,
          changed(all.at(-1) ?? new Uint8Array(0), ({ additionals }) => additionals.pop()),
        );
      },
      'ends without a signature',
    ],
    [
      'another key',
      (messages) =>
        messages.map((each) =>
          new TsigSigner({ ...KEY, name: nameOf('x') }).sign(
            changed(each, ({ additionals }) => additionals.pop()),
            Date.now() / 1000,
          ),
        ),
      'another key',
    ],
  ];
  test.each(unproved)('with %s is refused', async (_, spoil, why) => {
    const port = await primary(spoil, 'end');
    expect(await transferIn(asking(port, { key: KEY })).catch(describeError)).toContain(why);
  });

  test('is bounded in bytes', async () => {
    const port = await primary((messages) => messages);
    const bounds = { ...TRANSFER_BOUNDS, maxBytes: 30_000 };
    expect(await transferIn(asking(port, { bounds })).catch(describeError)).toMatch(/more|longer/);
  });

  test.each<[string, Partial<TcpBounds>, string]>([
    ['without a byte', { idleMs: 60_000 }, 'has stopped in the middle'],
    ['in all', { totalMs: 60_000, idleMs: 600_000 }, 'takes too long'],
  ])('is bounded in time: %s', async (_, changes, why) => {
    const port = await primary((messages) => messages.slice(0, 1));
    const clock = new ManualClock(Date.now());
    const bounds = { ...TRANSFER_BOUNDS, connectMs: 600_000, ...changes };
    const ended: string[] = [];
    void transferIn(asking(port, { clock, bounds })).catch((error: unknown) =>
      ended.push(describeError(error)),
    );
    await until('its end', async () => {
      await clock.advance(5000);
      return ended.length > 0;
    });
    expect(ended[0]).toContain(why);
  });

  test('ends when it is not wanted any more', async () => {
    const stop = new AbortController();
    const port = await primary(() => []);
    const failed = transferIn(asking(port, { signal: stop.signal })).catch(describeError);
    stop.abort(new Error('enough'));
    expect(await failed).toContain('enough');
  });
});

function spoilLetter(bytes: Uint8Array): Uint8Array {
  return bytes.with(-1, (bytes.at(-1) ?? 0) ^ 1);
}

describe('the serial of a primary', () => {
  async function overUdp(
    answers: (query: Buffer) => readonly Uint8Array[],
    at?: number,
  ): Promise<number> {
    const socket = createSocket('udp4');
    socket.on('message', (query, from) => {
      for (const answer of answers(query)) socket.send(answer, from.port, from.address);
    });
    const port = at ?? (await freePort());
    await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
    clean.push(() => socket.close());
    return port;
  }
  const rig = new TransferRig();
  rig.putText(ZONE, zoneText(7));
  const out = new Uint8Array(0xffff);
  const answered = (query: Uint8Array): Uint8Array => {
    const exchange = { transport: 'udp', client: new Uint8Array(4), clientPort: 5 } as const;
    const now = { nowSeconds: 0, nowMs: 0 };
    return out.slice(0, rig.responder.respond(query, query.length, { ...exchange, ...now }, out));
  };

  test('is asked over UDP; what is no answer is passed over', async () => {
    const port = await overUdp((query) => [
      changed(answered(query), (message) => (message.id ^= 1)),
      changed(answered(query), asks(1)),
      answered(query),
    ]);
    expect(await askSerial(asking(port))).toBe(7);
  });

  test('is asked over TCP when UDP brings nothing, or not all', async () => {
    const port = await primary((messages) => messages);
    expect(await askSerial(asking(port))).toBe(7);
    expect(await askSerial(asking(port, { key: KEY }))).toBe(7);
    const cut = (message: Message) => {
      message.flags |= 0x0200;
      message.answers = [];
    };
    const over = await primary((messages) => messages);
    await overUdp((query) => [changed(answered(query), cut)], over);
    expect(await askSerial(asking(over))).toBe(7);
  });

  test.each<[string, (message: Message) => void, string]>([
    ['without authority', (message) => (message.flags &= ~0x0400), 'no authority'],
    ['without a SOA', (message) => (message.answers = []), 'no SOA'],
    ['that refuses', (message) => (message.flags |= 5), 'REFUSED'],
  ])('of an answer %s is none', async (_, change, why) => {
    const port = await overUdp((query) => [changed(answered(query), change)]);
    expect(await askSerial(asking(port)).catch(describeError)).toContain(why);
  });

  test('is asked again when nothing comes, and then no more', async () => {
    let heard = 0;
    const port = await overUdp(() => {
      heard++;
      return [];
    });
    const clock = new ManualClock();
    const ended: string[] = [];
    void askSerial(asking(port, { clock })).catch((error: unknown) =>
      ended.push(describeError(error)),
    );
    await until('its end', async () => {
      await clock.advance(500);
      return ended.length > 0;
    });
    expect(ended[0]).toContain('ECONNREFUSED'); // over TCP, at the end
    expect(ended[0]).toContain('is the primary there');
    await until('both questions', () => heard === 2);
  });
});
