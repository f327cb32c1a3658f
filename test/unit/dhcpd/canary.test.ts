import { describe, expect, test } from 'vitest';
import { Canary, placesOf } from '../../../dhcpd/canary.ts';
import { compileObjects } from '../../../dhcpd/plan/plan.ts';
import type { Plan } from '../../../dhcpd/plan/types.ts';
import { parseRequest } from '../../../dhcpd/wire/parse.ts';
import { ManualClock } from '../../../shared/clock.ts';
import { formatIpv4 } from '../../../shared/net/ipv4.ts';
import { DhcpObjects } from '../../../shared/site/dhcp-objects.ts';
import { parseObject } from '../../../shared/site/kinds.ts';
import { siteRecord } from '../../../shared/site/place.ts';
import { isRefusal } from '../../../shared/site/refusal.ts';

const MAC = Uint8Array.of(2, 0xca, 1, 2, 3, 4);

function planOf(...subnets: [id: string, value: object][]): Plan {
  const items = subnets.map(([id, value]) => {
    const record = { kind: 'subnet', id, value: JSON.stringify(value) };
    const item = parseObject(siteRecord('dhcpd', record));
    if (isRefusal(item)) throw new Error(item.reasons.join());
    return item;
  });
  const plan = compileObjects(DhcpObjects.of(items), 1);
  if (isRefusal(plan)) throw new Error(plan.reasons.join());
  return plan;
}

const plan = planOf(['10.1.0.0/24', { pools: ['10.1.0.10-10.1.0.20'] }]);

/** What a server would say. */
function reply(to: Uint8Array, messageType: number): Uint8Array {
  const bytes = to.slice();
  bytes[0] = 2;
  bytes.set([10, 1, 0, 10], 16);
  bytes.set([53, 1, messageType, 54, 4, 10, 1, 0, 1, 255], 240);
  return bytes;
}

type Answers = Record<number, number | undefined>;

async function run(answers: Answers, lastReason?: string) {
  const clock = new ManualClock();
  const sent: Uint8Array[] = [];
  const canary: Canary = new Canary({
    mac: MAC,
    send(bytes) {
      sent.push(bytes);
      const request = parseRequest(bytes);
      if (typeof request === 'string') throw new Error(request);
      const type = answers[request.messageType];
      if (type !== undefined) expect(canary.take(reply(bytes, type))).toBe(true);
    },
    lastReason: () => lastReason,
    xid: () => 7,
    timeoutMs: 1000,
    clock,
  });
  const result = canary.run(plan, 'node');
  await clock.advance(3000);
  return { problem: await result, sent: sent.map((one) => parseRequest(one)), canary };
}

describe('the canary', () => {
  test('discovers, requests and releases, in the name of a relay', async () => {
    const { problem, sent } = await run({ 1: 2, 3: 5 });
    expect(problem).toBeUndefined();
    expect(sent).toMatchObject([
      { messageType: 1, giaddr: 0x0a010001, chaddr: MAC, xid: 7 },
      { messageType: 3, giaddr: 0x0a010001 },
      { messageType: 7, giaddr: 0, ciaddr: 0x0a01000a },
    ]);
  });

  test.each([
    ['no offer', {}, undefined, /^DISCOVER: no answer within 1000 ms: it was not received/],
    ['a refusal to offer', {}, 'bind-store', /^DISCOVER: no answer .*: bind-store/],
    ['no ACK', { 1: 2 }, undefined, /^REQUEST: no answer/],
    ['a NAK', { 1: 2, 3: 6 }, undefined, /^REQUEST: answered with message type 6/],
    ['an ACK to a DISCOVER', { 1: 5 }, undefined, /^DISCOVER: answered with message type 5/],
  ])('fails at %s', async (_what, answers: Answers, reason, problem) => {
    expect((await run(answers, reason)).problem).toMatch(problem);
  });

  test('passes where every pool is full', async () => {
    expect((await run({}, 'pool-exhausted')).problem).toBeUndefined();
  });

  test('leaves others’ replies alone', async () => {
    const { canary } = await run({ 1: 2, 3: 5 });
    expect(canary.take(new Uint8Array(300))).toBe(false);
  });
});

test('it plays a client of each subnet with a pool', () => {
  const two = planOf(
    ['10.1.0.0/24', { pools: ['10.1.0.10'] }],
    ['10.2.0.0/24', {}],
    ['10.3.0.0/24', { pools: ['10.3.0.10'], relays: ['10.9.9.1'] }],
  );
  const relays = placesOf(two, 'node', MAC).map(({ relay }) => formatIpv4(relay));
  expect(relays).toEqual(['10.1.0.1', '10.9.9.1']);
  expect(placesOf(planOf(), 'node', MAC)).toEqual([]);
});
