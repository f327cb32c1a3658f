// What is asked when, what is kept for how long, and which TTL is handed out (A7).
import { beforeEach, expect, test } from 'vitest';
import { OutsideAliases } from '../../../../dns/aliases/outside.ts';
import type { Resolved } from '../../../../dns/aliases/resolvers.ts';
import { aliasTargets, MAX_TARGETS, outsideTargets } from '../../../../dns/aliases/targets.ts';
import { type OutsideAddresses, outsideTable } from '../../../../dns/answer/alias-table.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { displayName } from '../../../../shared/dns/names.ts';
import type { Name } from '../../../../shared/dns/types.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { imageOf, nameOf, recordsOfText } from '../../../support/dns/resolve-rig.ts';

const ADDRESS = Uint8Array.of(192, 0, 2, 1);
const HOUR_MS = 3_600_000;

let clock: ManualClock;
let list: readonly OutsideAddresses[];
let asked: { name: string; type: number; atMs: number }[];
let answer: (type: number) => Omit<Resolved, 'from'> | undefined;
let warned: string[];
let stopping: AbortController;

beforeEach(() => {
  clock = new ManualClock();
  list = [];
  asked = [];
  warned = [];
  stopping = new AbortController();
  answer = (type) => ({ addresses: type === 1 ? [ADDRESS] : [], ttlSeconds: 100 });
});

function aliases(resolvers = [{ host: '192.0.2.53', port: 53 }]): OutsideAliases {
  const tell = (event: string) => warned.push(event);
  return new OutsideAliases({
    resolvers,
    async ask(_, target, type) {
      asked.push({ name: displayName(target), type, atMs: clock.monotonicMs() });
      const said = answer(type);
      if (said === undefined) throw new Error('nobody is there');
      return { ...said, from: 'r' };
    },
    onChanged: (changed) => {
      list = changed;
    },
    clock,
    random: seededRandom(1),
    signal: stopping.signal,
    log: { debug: tell, info: tell, warn: tell, error: tell },
  });
}

function outside(...names: string[]) {
  return {
    targets: new Map(names.map((name) => [name, nameOf(name)])),
    isCut: false,
    isSmart: false,
  };
}
const ttlOf = (name: Name, type = 1) =>
  outsideTable(list).find(name, type, Math.floor(clock.nowMs() / 1000))?.ttlSeconds;
const cdn = nameOf('cdn.example');

test('both families are asked at once; the TTL handed out is what is left', async () => {
  aliases().want(outside('cdn.example'));
  await clock.advance(200);
  expect(asked.map(({ type }) => type)).toEqual([1, 28]);
  expect(ttlOf(cdn)).toBe(100);
  expect(outsideTable(list).find(cdn, 28, 0)?.addresses).toEqual([]);
  await clock.advance(40_000);
  expect(ttlOf(cdn)).toBe(60);
  expect(asked).toHaveLength(2);
});

test('asked again before the TTL ends', async () => {
  aliases().want(outside('cdn.example'));
  await clock.advance(99_000);
  expect(asked).toHaveLength(4);
  expect(ttlOf(cdn)).toBeGreaterThan(75);
});

test('a TTL counts as at least 5 s and at most an hour', async () => {
  answer = () => ({ addresses: [ADDRESS], ttlSeconds: 0 });
  const short = aliases();
  short.want(outside('cdn.example'));
  await clock.advance(60_000);
  expect(asked.length).toBeLessThanOrEqual(2 * 13);
  expect(asked.length).toBeGreaterThan(2 * 9);
  expect(ttlOf(cdn)).toBe(5);
  answer = () => ({ addresses: [ADDRESS], ttlSeconds: 86_400 });
  await clock.advance(6000);
  expect(ttlOf(cdn)).toBeLessThanOrEqual(3600);
  expect(ttlOf(cdn)).toBeGreaterThan(3590);
});

test('silence: the last good ones for an hour beyond their TTL, asked less and less', async () => {
  const kept = aliases();
  kept.want(outside('cdn.example'));
  await clock.advance(200);
  answer = () => undefined;
  await clock.advance(100_000 + HOUR_MS - 1000);
  expect(ttlOf(cdn)).toBe(5);
  expect(kept.states).toEqual({ fresh: 0, kept: 2, unknown: 0 });
  expect(kept.say(cdn, 1)).toMatch(
    /r said its addresses \d+ s ago, for 100 s; that is kept, as now nobody/,
  );
  expect(warned).toEqual(['alias-unresolved', 'alias-unresolved']);
  expect(asked.length).toBeLessThan(2 * 90);
  await clock.advance(2000);
  expect(ttlOf(cdn)).toBeUndefined();
  expect(kept.say(cdn, 1)).toMatch(/nobody is there/);
  answer = () => ({ addresses: [ADDRESS], ttlSeconds: 60 });
  await clock.advance(75_000);
  expect(ttlOf(cdn)).toBeGreaterThan(5);
});

test('a wall clock that jumps takes no address away', async () => {
  aliases().want(outside('cdn.example'));
  await clock.advance(200);
  clock.jumpWall(10 * HOUR_MS);
  expect(ttlOf(cdn)).toBe(5);
  clock.jumpWall(-20 * HOUR_MS);
  expect(ttlOf(cdn)).toBe(100);
});

test('who is not wanted any more is forgotten', async () => {
  const some = aliases();
  some.want(outside('cdn.example', 'a.example'));
  await clock.advance(200);
  expect(list).toHaveLength(4);
  some.want(outside('a.example'));
  await clock.advance(200);
  expect(list.map(({ target }) => displayName(target))).toEqual(['a.example', 'a.example']);
  await clock.advance(200_000);
  expect(asked.filter(({ name }) => name === 'cdn.example')).toHaveLength(2);
});

test('many are asked for at a bounded rate', async () => {
  const names = Array.from({ length: 300 }, (_, index) => `h${index}.example`);
  aliases().want(outside(...names));
  await clock.advance(1000);
  expect(asked.length).toBeLessThanOrEqual(120);
  await clock.advance(6000);
  expect(asked).toHaveLength(600);
});

test('without resolvers nobody is asked; with some from a reload they are', async () => {
  const none = aliases([]);
  none.want(outside('cdn.example'));
  await clock.advance(1000);
  expect(asked).toEqual([]);
  expect(none.say(cdn, 1)).toMatch(/`resolvers` names nobody/);
  none.reload([{ host: '192.0.2.53', port: 53 }]);
  await clock.advance(200);
  expect(list).toHaveLength(2);
  none.reload([]);
  await clock.advance(200);
  expect(list).toEqual([]);
});

test('nothing goes on after the end', async () => {
  aliases().want(outside('cdn.example'));
  await clock.advance(200);
  stopping.abort();
  expect(clock.pending).toBe(0);
});

const ZONE = `$TTL 60
@ SOA ns h 1 2 3 4 5
@ NS ns
ns A 192.0.2.1
@ ALIAS WWW.elsewhere.
hop CNAME far.elsewhere.
a ALIAS hop
b ALIAS hop
own ALIAS ns
below ALIAS x.sub
sub NS ns.elsewhere.
gone ALIAS nothing
l1 CNAME l2
l2 CNAME l1
loop ALIAS l1
w ALIAS q.wild
*.wild CNAME wild.elsewhere.
`;

test('targets: at the end of every way, each once', () => {
  const first = aliasTargets(recordsOfText('here.', ZONE));
  expect(first.map(displayName)).toContain('www.elsewhere');
  const { targets, isCut, isSmart } = outsideTargets(first, [imageOf('here.', ZONE)], []);
  expect([...targets.keys()].sort()).toEqual([
    'far.elsewhere',
    'wild.elsewhere',
    'www.elsewhere',
    'x.sub.here',
  ]);
  expect({ isCut, isSmart }).toEqual({ isCut: false, isSmart: false });
});

test('targets by line: every answer of it', () => {
  const smart = [{ owner: nameOf('www.here.'), type: 5, index: 0 }];
  const zone = imageOf('here.', '$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n', smart);
  const choice = (name: string) => ({ ttlSeconds: 60, answers: [[nameOf(name)]], steps: [] });
  const choices = [choice('One.elsewhere.'), choice('two.elsewhere.')];
  const answers = [{ choiceOfLine: Uint16Array.of(0), choices }];
  const found = outsideTargets([nameOf('www.here.')], [zone], answers);
  expect([...found.targets.keys()].sort()).toEqual(['one.elsewhere', 'two.elsewhere']);
  expect(found.isSmart).toBe(true);
});

test('targets are bounded', () => {
  const many = Array.from({ length: MAX_TARGETS + 1 }, (_, index) => nameOf(`h${index}.x.`));
  const found = outsideTargets(many, [], []);
  expect(found.targets.size).toBe(MAX_TARGETS);
  expect(found.isCut).toBe(true);
});
