// What the query log is told of queries, and of how many.
import { expect, test } from 'vitest';
import { type QueryNote, QuerySampler } from '../../../../dns/answer/query-sample.ts';
import { AnswerResponder } from '../../../../dns/answer/responder.ts';
import type { AnswerSettings, Exchange } from '../../../../dns/answer/types.ts';
import { TYPES } from '../../../../shared/dns/constants.ts';
import { encodeMessage } from '../../../../shared/dns/message.ts';
import { imageOf, linesOf, nameOf, stateOf } from '../../../support/dns/resolve-rig.ts';

type Log = NonNullable<AnswerSettings['queryLog']>;

const smart = [{ owner: nameOf('www.example.'), type: TYPES.A, index: 0 }];
const zone = imageOf('example.', '$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n', smart);
const choice = { ttlSeconds: 60, answers: [[Uint8Array.of(192, 0, 2, 80)]], steps: [] };
const answers = [{ choiceOfLine: Uint16Array.of(0, 0), choices: [choice] }];

type Sampled = { notes: QueryNote[]; dropped: number; batches: number; isFull: boolean };

function rig(queryLog: Partial<Log> | undefined, batch = 1) {
  const told: Sampled = { notes: [], dropped: 0, batches: 0, isFull: false };
  const sampler = new QuerySampler({
    batch,
    take(notes, dropped) {
      if (told.isFull) return false;
      told.notes.push(...notes);
      told.dropped += dropped;
      told.batches++;
      return true;
    },
    seed: 1,
  });
  const state = stateOf([zone], answers, linesOf(['198.51.100.0/24']));
  const settingsOf = (log: Partial<Log> | undefined): AnswerSettings => ({
    ...state.settings,
    ...(log && { queryLog: { sample: 1, maxPerSecond: 1e5, client: 'address', ...log } }),
  });
  const responder = new AnswerResponder(
    { ...state, settings: settingsOf(queryLog) },
    { keepaliveMs: 0, seed: 1, sampler },
  );
  const out = new Uint8Array(65_535);
  return {
    told,
    sampler,
    ask(query: Uint8Array, changed: Partial<Exchange> = {}): number {
      const client = Uint8Array.of(198, 51, 100, 7);
      const now = { nowSeconds: 1_800_000_000, nowMs: 5 };
      const exchange = { transport: 'udp', client, clientPort: 4000, ...now, ...changed } as const;
      return responder.respond(query, query.length, exchange, out);
    },
    turn: (log: Partial<Log> | undefined) =>
      responder.adopt({ ...state, generation: 2, settings: settingsOf(log) }),
  };
}

function queryOf(name: string, type: number, ecs?: number[]): Uint8Array {
  const option = ecs === undefined ? [] : [0, 8, 0, ecs.length, ...ecs];
  const opt = { owner: nameOf('.'), type: TYPES.OPT, class: 1232, ttlSeconds: 0 };
  return encodeMessage({
    id: 1,
    flags: 0,
    questions: [{ name: nameOf(name), type, class: 1 }],
    answers: [],
    authorities: [],
    additionals: ecs === undefined ? [] : [{ ...opt, rdata: Uint8Array.from(option) }],
  });
}

test('who asked what on which way, and what it was answered', () => {
  const { told, ask } = rig({});
  const bytes = ask(queryOf('WWW.example.', TYPES.A));
  ask(queryOf('none.example.', TYPES.AAAA), { transport: 'tcp' });
  expect(told.notes).toEqual([
    {
      atSeconds: 1_800_000_000,
      client: '198.51.100.7',
      transport: 'udp',
      qname: 'www.example',
      qtype: 'A',
      outcome: 'answered',
      rcode: 'NOERROR',
      line: 'line1',
      scope: 24,
      bytes,
    },
    {
      atSeconds: 1_800_000_000,
      client: '198.51.100.7',
      transport: 'tcp',
      qname: 'none.example',
      qtype: 'AAAA',
      outcome: 'nxdomain',
      rcode: 'NXDOMAIN',
      bytes: expect.any(Number),
    },
  ]);
});

test('only the prefixes of clients and of ECS, when that is wanted', () => {
  const { told, ask, turn } = rig({ client: 'prefix' });
  const query = queryOf('www.example.', TYPES.A, [0, 1, 32, 0, 203, 0, 113, 99]);
  ask(query);
  expect(told.notes[0]).toMatchObject({ client: '198.51.100.0/24', ecs: '203.0.113.0/24' });
  const v6 = new Uint8Array(16).fill(0x11);
  ask(queryOf('www.example.', TYPES.A, [0, 2, 0, 0]), { client: v6 });
  expect(told.notes[1]).toMatchObject({ client: '1111:1111:1111:1100::/56', ecs: '::/0' });
  turn({ client: 'address' });
  ask(query);
  expect(told.notes[2]).toMatchObject({ client: '198.51.100.7', ecs: '203.0.113.99/32' });
});

test('what was no question, or got no answer, says so', () => {
  const { told, ask } = rig({});
  ask(queryOf('www.example.', TYPES.A));
  ask(new Uint8Array(5));
  ask(queryOf('example.', TYPES.AXFR), { transport: 'tcp' });
  const [, short, transfer] = told.notes;
  expect(short).toEqual({
    atSeconds: 1_800_000_000,
    client: '198.51.100.7',
    transport: 'udp',
    outcome: 'dropped-short',
    bytes: 0,
  });
  expect(transfer).toMatchObject({ qname: 'example', qtype: 'AXFR', outcome: 'referred-transfer' });
  expect(transfer).not.toHaveProperty('rcode');
});

test('off: nothing; turned on and off by a new state', () => {
  const { told, ask, turn } = rig(undefined, 10);
  const query = queryOf('www.example.', TYPES.A);
  ask(query);
  turn({});
  ask(query);
  expect(told.notes).toHaveLength(0);
  turn(undefined); // what is noted is told at the end
  ask(query);
  expect(told).toMatchObject({ notes: [{ qname: 'www.example' }], dropped: 0 });
});

test('one of so many, in no rhythm', () => {
  const { told, ask } = rig({ sample: 10 });
  const query = queryOf('www.example.', TYPES.A);
  for (let count = 0; count < 10_000; count++) ask(query);
  expect(told.notes.length).toBeGreaterThan(900);
  expect(told.notes.length).toBeLessThan(1100);
});

test('no more than so many a second; the others are counted', () => {
  const { told, ask, sampler } = rig({ maxPerSecond: 3 }, 2);
  const query = queryOf('www.example.', TYPES.A);
  for (let count = 0; count < 5; count++) ask(query);
  sampler.flush();
  expect(told).toMatchObject({ dropped: 2, batches: 2 });
  expect(told.notes).toHaveLength(3);
  ask(query, { nowMs: 1006 });
  sampler.flush();
  expect(told.notes).toHaveLength(4);
});

test('what nobody has room for is counted', () => {
  const { told, ask } = rig({}, 2);
  const query = queryOf('www.example.', TYPES.A);
  told.isFull = true;
  for (let count = 0; count < 4; count++) ask(query);
  told.isFull = false;
  for (let count = 0; count < 2; count++) ask(query);
  expect(told.dropped).toBe(4);
  expect(told.notes).toHaveLength(2);
});
