// TSIG: what BIND signed is right here, what is signed here is right for dig; and what each side
// says when something is wrong.
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seal, unseal } from '../../../dns/tsig/record.ts';
import {
  MAX_UNSIGNED,
  type TsigAlgorithm,
  type TsigKey,
  TsigSigner,
  TsigVerifier,
  tsigAlgorithms,
  verifyTsig,
} from '../../../dns/tsig/tsig.ts';
import { FLAGS, RCODES, rcodeOf } from '../../../shared/dns/constants.ts';
import { ednsRecord } from '../../../shared/dns/edns.ts';
import { decodeMessage, encodeMessage } from '../../../shared/dns/message.ts';
import { parseName, ROOT, sameName } from '../../../shared/dns/names.ts';
import type { Message } from '../../../shared/dns/types.ts';
import { needs, program } from '../../support/skip.ts';

const NOW = 1_800_000_000;
const secret = Buffer.from('c2VjcmV0IG9mIHRlc3RzIQ==', 'base64');

function keyOf(algorithm: TsigAlgorithm = 'hmac-sha256', parts: Partial<TsigKey> = {}): TsigKey {
  return { name: parseName('k.test') ?? ROOT, algorithm, secret, ...parts };
}

const key = keyOf();
const find = (wanted: TsigKey) => (name: Uint8Array) =>
  sameName(name, wanted.name) ? wanted : undefined;

const query: Message = {
  id: 0x1234,
  flags: FLAGS.RD,
  questions: [{ name: parseName('Example.com') ?? ROOT, type: 6, class: 1 }],
  answers: [],
  authorities: [],
  additionals: [ednsRecord()],
};
const request = encodeMessage(query);
const response = encodeMessage({ ...query, flags: FLAGS.QR | FLAGS.AA });

/** A request of dig 9.18 for AXFR of big.test by this secret, and BIND's answer to one for SOA. */
const captured = {
  timeSeconds: 0x6b0195a2,
  axfr:
    '277c002000010000000000020362696704746573740000fc0001' +
    '00002904d000000000000c000a000850637be20d245069' +
    '016b04746573740000fa00ff00000000005d0b686d61632d7368613531320000006b0195a2012c0040' +
    'ece0b2d63efccd56e9dec0e4d913a38d28847a30bf0684897638f794f16034c1' +
    'ed069a49e5e6c5c9f222a83b7b6ae064ac6ae04390da4f139b11e9c228b5f3f6277c00000000',
  requestMac: 'a45d98300e1d39673ef91400997a00eeadde3adcbe025aa5324cfac5107768e9',
  response:
    '004d840000010001000100020362696704746573740000060001' +
    'c00c000600010000003c001d026e73c00c0168c00c' +
    '0000000100000002000000030000000400000005c00c000200010000003c0002c026c026000100010000003c0004' +
    '7f000001016b04746573740000fa00ff00000000003d0b686d61632d7368613235360000006b0195a2012c0020' +
    '74d48e5d471c4ef70988174b0ed79bbbf43b23dd8ec93db7ec046f2b7c7cbb47004d00000000',
};

describe('what BIND has signed', () => {
  test('is good: a request with EDNS', () => {
    const wanted = keyOf('hmac-sha512');
    const bytes = Buffer.from(captured.axfr, 'hex');
    const verdict = verifyTsig(bytes, find(wanted), captured.timeSeconds);
    if (verdict.state !== 'good') throw new Error(verdict.state);
    const message = decodeMessage(verdict.message);
    expect(message.additionals.map(({ type }) => type)).toEqual([41]);
    expect(bytes.toString('hex')).toBe(captured.axfr); // a Buffer is not written to
  });

  test('is good: a response', () => {
    const verifier = new TsigVerifier(key, Buffer.from(captured.requestMac, 'hex'));
    const check = verifier.verify(Buffer.from(captured.response, 'hex'), captured.timeSeconds);
    expect(check.isGood).toBe(true);
    expect(verifier.isComplete).toBe(true);
  });

  test('is not good when any bit is another, of message or signature', () => {
    const bytes = Buffer.from(captured.axfr, 'hex');
    const wanted = keyOf('hmac-sha512');
    for (let bit = 16; bit < bytes.length * 8; bit++) {
      const changed = new Uint8Array(bytes);
      changed[bit >>> 3] = (changed[bit >>> 3] ?? 0) ^ (0x80 >>> (bit & 7));
      const { state } = verifyTsig(changed, find(wanted), captured.timeSeconds);
      // A letter's case in a name of TSIG, and the ID of the header, are not what is signed.
      const isCase = bit % 8 === 2 && /[a-z]/i.test(String.fromCharCode(bytes[bit >>> 3] ?? 0));
      if (!isCase) expect(state, `bit ${bit}`).not.toBe('good');
    }
  });
});

test.for(tsigAlgorithms)('dig believes what is signed with %s', async (algorithm, context) => {
  needs(context, program('dig'));
  const wanted = keyOf(algorithm);
  const nowSeconds = () => Math.floor(Date.now() / 1000);
  const socket = createSocket('udp4');
  socket.on('message', (bytes, from) => {
    const verdict = verifyTsig(bytes, find(wanted), nowSeconds());
    if (verdict.state !== 'good') return;
    const answer = { ...decodeMessage(verdict.message), flags: FLAGS.QR, additionals: [] };
    const signed = verdict.signer.sign(encodeMessage(answer), nowSeconds());
    socket.send(signed, from.port, from.address);
  });
  try {
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const at = ['@127.0.0.1', '-p', `${socket.address().port}`, '+tries=1', '+time=5'];
    const by = ['-y', `${algorithm}:K.test:${secret.toString('base64')}`];
    const { stdout } = await promisify(execFile)('dig', [...at, ...by, 'example.com', 'SOA']);
    expect(stdout).toContain('status: NOERROR');
    expect(stdout).not.toMatch(/TSIG could not be validated|verify/);
  } finally {
    socket.close();
  }
});

describe('a server', () => {
  const signed = new TsigSigner(key).sign(request, NOW);
  const verify = (bytes: Uint8Array, wanted = key, nowSeconds = NOW) =>
    verifyTsig(bytes, find(wanted), nowSeconds);

  test('gets the message as it was, and signs what the client believes', () => {
    const signer = new TsigSigner(key);
    const bytes = signer.sign(request, NOW);
    expect(bytes.length).toBe(request.length + signer.addedBytes);
    const verdict = verify(bytes);
    if (verdict.state !== 'good') throw new Error(verdict.state);
    expect(verdict.message).toEqual(request);
    const answer = verdict.signer.sign(response, NOW);
    const check = new TsigVerifier(key, signer.mac).verify(answer, NOW);
    expect(check).toEqual({ isGood: true, message: response });
    // The answer to another request is no answer to this one.
    const other = new TsigSigner(key);
    other.sign(request, NOW - 1);
    expect(new TsigVerifier(key, other.mac).verify(answer, NOW).isGood).toBe(false);
  });

  test('keeps the ID that a forwarder gave the message', () => {
    const forwarded = signed.slice();
    forwarded.set([9, 9]);
    const verdict = verify(forwarded);
    if (verdict.state !== 'good') throw new Error(verdict.state);
    expect(decodeMessage(verdict.message).id).toBe(0x0909);
  });

  test('sees what is not signed, and what is no TSIG', () => {
    expect(verify(request).state).toBe('unsigned');
    const malformed = [
      signed.slice(0, -1),
      Uint8Array.from([...signed, 0]),
      new Uint8Array(5),
      new TsigSigner(key).sign(signed, NOW), // two of them
      encodeMessage({
        ...decodeMessage(signed),
        additionals: decodeMessage(signed).additionals.toReversed(),
      }),
    ];
    for (const bytes of malformed) expect(verify(bytes)).toEqual({ state: 'malformed' });
    // One in another section, of another class, or with a TTL.
    const message = decodeMessage(signed);
    const [, tsig] = message.additionals;
    if (tsig === undefined) throw new Error('no TSIG');
    for (const wrong of [
      { ...message, answers: [tsig], additionals: [] },
      { ...message, additionals: [{ ...tsig, class: 1 }] },
      { ...message, additionals: [{ ...tsig, ttlSeconds: 1 }] },
      { ...message, additionals: [{ ...tsig, rdata: tsig.rdata.slice(0, 12) }] },
    ]) {
      expect(verify(encodeMessage(wrong)).state).toBe('malformed');
    }
  });

  const ask = (wanted: TsigKey, nowSeconds = NOW) => {
    const verdict = verify(signed, wanted, nowSeconds);
    if (verdict.state !== 'refused') throw new Error(verdict.state);
    const reply = decodeMessage(verdict.reply);
    expect(reply).toMatchObject({ id: 0x1234, questions: query.questions, answers: [] });
    expect(rcodeOf(reply.flags)).toBe(RCODES.NOTAUTH);
    expect(reply.flags & FLAGS.QR).toBe(FLAGS.QR);
    return { verdict, tsig: unseal(verdict.reply).tsig };
  };

  test.each<[string, TsigKey, number]>([
    ['BADKEY for a key that it does not know', keyOf('hmac-sha256', { name: ROOT }), RCODES.BADKEY],
    ['BADKEY for another algorithm', keyOf('hmac-sha512'), RCODES.BADKEY],
    [
      'BADSIG for another secret',
      keyOf('hmac-sha256', { secret: Buffer.from('x') }),
      RCODES.BADSIG,
    ],
  ])('says %s, unsigned', (_, wanted, error) => {
    const { verdict, tsig } = ask(wanted);
    expect(verdict.error).toBe(error);
    expect(tsig).toMatchObject({ error, mac: new Uint8Array(0), other: new Uint8Array(0) });
    const signer = new TsigSigner(key);
    signer.sign(request, NOW);
    const check = new TsigVerifier(key, signer.mac).verify(verdict.reply, NOW);
    expect(check).toMatchObject({ isGood: false, error });
  });

  test.each([
    [301, false],
    [-301, false],
    [300, true],
    [-300, true],
  ])('with a clock %i s off is the same one: %s', (seconds, isGood) => {
    expect(verify(signed, key, NOW + seconds).state).toBe(isGood ? 'good' : 'refused');
  });

  test('says BADTIME signed, with both times', () => {
    const { verdict, tsig } = ask(key, NOW + 1000);
    expect(tsig).toMatchObject({ error: RCODES.BADTIME, timeSeconds: NOW, fudgeSeconds: 300 });
    expect(Buffer.from(tsig?.other ?? []).readUIntBE(0, 6)).toBe(NOW + 1000);
    const signer = new TsigSigner(key);
    signer.sign(request, NOW);
    const check = new TsigVerifier(key, signer.mac).verify(verdict.reply, NOW);
    expect(check).toMatchObject({ isGood: false, error: RCODES.BADTIME });
    if (!check.isGood) expect(check.reason).toContain(`${NOW + 1000}`);
  });

  test.each([
    [32, 32, 'good'],
    [16, 16, 'good'],
    [16, 32, 'refused'],
    [15, 10, 'malformed'],
    [0, 10, 'malformed'],
  ])('of a signature of %i bytes, where %i are wanted, says %s', (bytes, minMacBytes, state) => {
    const { message, tsig } = unseal(signed);
    if (tsig === undefined) throw new Error('no TSIG');
    const cut = seal(message, { ...tsig, mac: tsig.mac.slice(0, bytes) });
    const verdict = verify(cut, keyOf('hmac-sha256', { minMacBytes }));
    expect(verdict.state).toBe(state);
    if (verdict.state === 'refused') expect(verdict.error).toBe(RCODES.BADTRUNC);
  });

  test('of any bytes before or within the signature never crashes', () => {
    fc.assert(
      fc.property(fc.nat(), fc.uint8Array({ maxLength: 6 }), fc.boolean(), (at, bytes, cut) => {
        const changed = signed.slice(0, cut ? at % signed.length : undefined);
        changed.set(
          bytes.subarray(0, Math.max(0, changed.length - 12)),
          changed.length > 18 ? at % (changed.length - 6) : 0,
        );
        verify(changed);
        new TsigVerifier(key, secret).verify(changed, NOW);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a stream', () => {
  const messages = Array.from({ length: 205 }, (_, at) =>
    encodeMessage({ ...query, flags: FLAGS.QR | at }),
  );

  /** Signs the first, the last, and each of `every`; what goes over the wire. */
  function streamOf(every: number, requestMac: Uint8Array): Uint8Array[] {
    const signer = new TsigSigner(key, { requestMac });
    return messages.map((message, at) => {
      if (at % every === 0 || at === messages.length - 1) return signer.sign(message, NOW + at);
      signer.pass(message);
      return message;
    });
  }

  test.each([1, 2, 50, MAX_UNSIGNED + 1])('with every %i. message signed is good', (every) => {
    const verifier = new TsigVerifier(key, secret);
    for (const [at, bytes] of streamOf(every, secret).entries()) {
      expect(verifier.verify(bytes, NOW + at)).toEqual({ isGood: true, message: messages[at] });
      expect(verifier.isComplete).toBe(at % every === 0 || at === messages.length - 1);
    }
  });

  test('is bad with one message changed, lost, doubled or exchanged, at the next signature', () => {
    const stream = streamOf(10, secret);
    const without = stream.toSpliced(13, 1);
    const doubled = stream.toSpliced(13, 0, stream[13] ?? request);
    const exchanged = stream.toSpliced(13, 2, stream[14] ?? request, stream[13] ?? request);
    const changed = stream.with(13, response);
    for (const each of [without, doubled, exchanged, changed]) {
      const verifier = new TsigVerifier(key, secret);
      const checks = each.slice(0, 22).map((bytes) => verifier.verify(bytes, NOW));
      expect(checks.slice(0, 13).every(({ isGood }) => isGood)).toBe(true);
      expect(checks.some(({ isGood }) => !isGood)).toBe(true);
    }
  });

  test('is bad when it begins without a signature, or goes on for too long without', () => {
    expect(new TsigVerifier(key, secret).verify(response, NOW)).toMatchObject({ isGood: false });
    const verifier = new TsigVerifier(key, secret);
    expect(verifier.isComplete).toBe(false);
    const checks = streamOf(1000, secret).map((bytes) => verifier.verify(bytes, NOW).isGood);
    expect(checks.indexOf(false)).toBe(MAX_UNSIGNED + 1);
  });
});
