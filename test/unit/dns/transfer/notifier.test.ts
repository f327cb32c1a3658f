import { describe, expect, test } from 'vitest';
import { noTransfers } from '../../../../dns/transfer/counts.ts';
import type { UdpQuestion } from '../../../../dns/transfer/network.ts';
import { Notifier } from '../../../../dns/transfer/notifier.ts';
import { TsigSigner, verifyTsig } from '../../../../dns/tsig/tsig.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { FLAGS, opcodeOf, TYPES } from '../../../../shared/dns/constants.ts';
import { decodeMessage, encodeMessage } from '../../../../shared/dns/message.ts';
import { displayName } from '../../../../shared/dns/names.ts';
import { serialOf } from '../../../../shared/dns/zone/soa.ts';
import { formatEndpoint } from '../../../../shared/net/ports.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { imageOf, nameOf } from '../../../support/dns/resolve-rig.ts';

const ZONE = 'example.com';
const ONE = { to: '192.0.2.1:53' };
const SECOND = 1000;
const KEY = {
  name: nameOf('one.example'),
  algorithm: 'hmac-sha256',
  secret: new Uint8Array(32).fill(7),
} as const;
const imageWith = (serial: number) =>
  imageOf(ZONE, `$TTL 60\n@ SOA a b ${serial} 1 2 3 4\n@ NS a\na A 192.0.2.1\n`);

/** What a target does with a message: an answer, or nothing, which is told as no answer is. */
type Target = (message: Uint8Array) => Uint8Array | undefined;
const acknowledge: Target = (message) => answered(message, 0);
function answered(message: Uint8Array, rcode: number): Uint8Array {
  const { id, flags, questions } = decodeMessage(message);
  const nothing = { answers: [], authorities: [], additionals: [] };
  return encodeMessage({ id, flags: flags | FLAGS.QR | rcode, questions, ...nothing });
}

function rigOf(target: Target) {
  const clock = new ManualClock();
  const counts = noTransfers();
  const told: string[] = [];
  const failed: string[] = [];
  const notifier = new Notifier({
    keys: new Map([['one.example', KEY]]),
    onFailed: (zone, to, why) => failed.push(`${zone} ${to}: ${why}`),
    ask: async ({ to, message, waitsMs, accept }: UdpQuestion<unknown>) => {
      const { questions, answers, flags } = decodeMessage(message);
      expect([opcodeOf(flags), flags & FLAGS.AA, questions[0]?.type]).toEqual([
        4,
        FLAGS.AA,
        TYPES.SOA,
      ]);
      const serial = serialOf(answers[0]?.rdata ?? new Uint8Array(22));
      told.push(`${displayName(questions[0]?.name ?? KEY.name)} ${serial} ${formatEndpoint(to)}`);
      const answer = target(message);
      const accepted = answer === undefined ? undefined : accept(answer);
      if (accepted !== undefined) return accepted as never; // what it accepts is its own
      await clock.sleep(waitsMs[0] ?? 0);
      throw new Error('no answer');
    },
    ...{ clock, counts, random: seededRandom(1) },
  });
  return { notifier, clock, counts, told, failed };
}

describe('NOTIFY out', () => {
  test('tells every target of the new serial, once', async () => {
    const { notifier, clock, counts, told } = rigOf(acknowledge);
    notifier.changed(ZONE, imageWith(7), [ONE, { to: '[2001:db8::1]:5353' }]);
    expect(notifier.pending).toBe(2);
    await clock.advance(SECOND);
    expect(told).toEqual(['example.com 7 192.0.2.1:53', 'example.com 7 [2001:db8::1]:5353']);
    expect(notifier.pending).toBe(0);
    expect(counts).toMatchObject({ 'notify-sent': 2, 'notify-acknowledged': 2 });
    expect(clock.pending).toBe(0);
  });

  test('versions that come quickly are told as one, the last', async () => {
    const { notifier, clock, told } = rigOf(acknowledge);
    for (const serial of [7, 8, 9]) notifier.changed(ZONE, imageWith(serial), [ONE]);
    await clock.advance(SECOND);
    notifier.changed(ZONE, imageWith(10), [ONE]);
    await clock.advance(SECOND);
    expect(told).toEqual(['example.com 9 192.0.2.1:53', 'example.com 10 192.0.2.1:53']);
  });

  test('tries again, later and later, and then no more', async () => {
    const { notifier, clock, counts, told, failed } = rigOf(() => undefined);
    notifier.changed(ZONE, imageWith(7), [ONE]);
    await clock.advance(5 * SECOND);
    expect(told.length).toBeGreaterThanOrEqual(2);
    await clock.advance(600 * SECOND);
    expect(told).toHaveLength(6);
    expect(failed).toEqual(['example.com 192.0.2.1:53: no answer']);
    expect([counts['notify-failed'], notifier.pending, clock.pending]).toEqual([1, 0, 0]);
  });

  test('a version that comes while it waits for an answer is told from the start', async () => {
    const { notifier, clock, told } = rigOf(() => undefined);
    notifier.changed(ZONE, imageWith(7), [ONE]);
    await clock.advance(60 * SECOND);
    notifier.changed(ZONE, imageWith(8), [ONE]);
    await clock.advance(600 * SECOND);
    expect(told.filter((each) => each.includes(' 8 '))).toHaveLength(6);
  });

  test.each<[string, Target, string]>([
    ['a refusal', (message) => answered(message, 5), 'it answers REFUSED'],
  ])('%s ends it', async (_, target, why) => {
    const { notifier, clock, told, failed } = rigOf(target);
    notifier.changed(ZONE, imageWith(7), [ONE]);
    await clock.advance(600 * SECOND);
    expect([told.length, failed]).toEqual([1, [`example.com 192.0.2.1:53: ${why}`]]);
  });

  test('an answer with another ID is none', async () => {
    const { notifier, clock, told } = rigOf((message) => {
      const answer = answered(message, 0);
      return answer.with(0, (answer[0] ?? 0) ^ 1);
    });
    notifier.changed(ZONE, imageWith(7), [ONE]);
    await clock.advance(600 * SECOND);
    expect(told).toHaveLength(6);
  });

  test('is signed by the key of the target, and only a signed answer counts', async () => {
    const signedTo = { ...ONE, key: 'one.example' };
    const { notifier, clock, failed } = rigOf((message) => {
      const verdict = verifyTsig(message, () => KEY, Math.floor(clock.nowMs() / 1000));
      if (verdict.state !== 'good') return undefined;
      return verdict.signer.sign(answered(verdict.message, 0), clock.nowMs() / 1000);
    });
    notifier.changed(ZONE, imageWith(7), [signedTo]);
    await clock.advance(SECOND);
    expect([failed, notifier.pending]).toEqual([[], 0]);

    const unsigned = rigOf(acknowledge);
    unsigned.notifier.changed(ZONE, imageWith(7), [signedTo, { ...ONE, key: 'unknown' }]);
    await unsigned.clock.advance(SECOND);
    expect(unsigned.failed.toSorted()).toEqual([
      'example.com 192.0.2.1:53: TSIG: the response is not signed',
      'example.com 192.0.2.1:53: the settings have no key unknown',
    ]);
    expect(new TsigSigner(KEY).addedBytes).toBeGreaterThan(0);
  });

  test('ends at once when the server stops', async () => {
    const { notifier, clock, failed } = rigOf(() => undefined);
    notifier.changed(ZONE, imageWith(7), [ONE]);
    notifier.stop();
    await clock.advance(0);
    expect([clock.pending, failed, notifier.pending]).toEqual([0, [], 0]);
    notifier.changed(ZONE, imageWith(8), [ONE]);
    expect(notifier.pending).toBe(0);
  });
});
