import { expect, test } from 'vitest';
import { type Agent, AgentChecks } from '../../../../lb/agent/agent-checks.ts';
import type { AgentAnswer } from '../../../../lb/agent/ask.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { seededRandom } from '../../../../shared/random.ts';

const agentOf = (key: string, intervalMs = 2000): Agent => ({
  key,
  address: '10.0.0.1',
  port: 9000,
  intervalMs,
});

function rig({ takesMs = 0, concurrency = 32 } = {}) {
  const clock = new ManualClock();
  const told: string[] = [];
  const asked: { key: string; atMs: number }[] = [];
  const lines = new Map<string, string>();
  let most = 0;
  const checks = new AgentChecks({
    clock,
    random: seededRandom(1),
    concurrency,
    events: {
      onWord: ({ key }, word) => told.push(`${key} ${JSON.stringify(word)}`),
      onSilent: ({ key }, why) => told.push(`${key} silent: ${why}`),
      onUnknown: ({ key }, words) => told.push(`${key} unknown: ${words.join(' ')}`),
    },
    async ask({ key }): Promise<AgentAnswer> {
      asked.push({ key, atMs: clock.monotonicMs() });
      most = Math.max(most, checks.running);
      if (takesMs > 0) await clock.sleep(takesMs);
      const line = lines.get(key);
      return line === undefined ? { silent: 'refused' } : { line };
    },
  });
  return { clock, checks, told, asked, lines, most: () => most };
}

test('asked within a second, then once an interval, never in step', async () => {
  const { clock, checks, asked, lines } = rig();
  lines.set('a', 'up').set('b', 'up');
  checks.want([agentOf('a'), agentOf('b')]);
  await clock.advance(1000);
  expect(asked.map(({ key }) => key).sort()).toEqual(['a', 'b']);
  await clock.advance(19_000);
  const times = asked.filter(({ key }) => key === 'a').map(({ atMs }) => atMs);
  const gaps = times.slice(1).map((atMs, at) => atMs - (times[at] ?? 0));
  expect(gaps.every((gap) => gap >= 1800 && gap <= 2200)).toBe(true);
  expect(new Set(gaps).size).toBeGreaterThan(5);
  checks.stop();
  expect(clock.pending).toBe(0);
});

test('a word is told when it is another', async () => {
  const { clock, checks, told, lines } = rig();
  checks.want([agentOf('a')]);
  expect(checks.wordOf('a')).toBeUndefined();
  lines.set('a', 'up 75%');
  await clock.advance(6000);
  lines.set('a', 'drain');
  await clock.advance(6000);
  expect(told).toEqual([
    'a {"weightPercent":75,"state":"up"}',
    'a {"weightPercent":75,"state":"drain"}',
  ]);
  expect(checks.wordOf('a')).toEqual({ weightPercent: 75, state: 'drain' });
});

test('what it said is kept when it falls silent, and that is told once', async () => {
  const { clock, checks, told, lines } = rig();
  lines.set('a', 'down#disk');
  checks.want([agentOf('a')]);
  await clock.advance(2000);
  lines.delete('a');
  await clock.advance(10_000);
  expect(checks.wordOf('a')).toEqual({ state: 'down', why: 'disk' });
  expect(checks.isSilent('a')).toBe(true);
  lines.set('a', 'down#disk');
  await clock.advance(4000);
  expect(told).toEqual([
    'a {"why":"disk","state":"down"}',
    'a silent: refused',
    'a {"why":"disk","state":"down"}',
  ]);
  expect(checks.isSilent('a')).toBe(false);
});

test('unknown words are told once', async () => {
  const { clock, checks, told, lines } = rig();
  lines.set('a', 'up what ever');
  checks.want([agentOf('a')]);
  await clock.advance(10_000);
  expect(told).toEqual(['a unknown: what ever', 'a {"state":"up"}']);
});

test('not more than so many at a time, and all have their turn', async () => {
  const { clock, checks, asked, most } = rig({ takesMs: 100, concurrency: 3 });
  const agents = Array.from({ length: 20 }, (_, at) => agentOf(`a${at}`));
  checks.want(agents);
  await clock.advance(1900);
  expect(most()).toBe(3);
  expect(new Set(asked.map(({ key }) => key)).size).toBe(20);
});

test('who is gone is forgotten, also while it is asked', async () => {
  const { clock, checks, told, asked, lines } = rig({ takesMs: 100 });
  lines.set('a', 'up').set('b', 'up');
  checks.want([agentOf('a'), agentOf('b')]);
  await clock.advance(3000);
  checks.want([agentOf('b')]);
  expect(checks.wordOf('a')).toBeUndefined();
  const before = asked.filter(({ key }) => key === 'a').length;
  await clock.advance(10_000);
  expect(asked.filter(({ key }) => key === 'a')).toHaveLength(before);
  expect(told).toHaveLength(2);
  checks.want([{ ...agentOf('b'), address: '10.0.0.2' }]);
  expect(checks.wordOf('b')).toBeUndefined();
});

test('another interval holds at once, and keeps what is known', async () => {
  const { clock, checks, asked, lines } = rig();
  lines.set('a', '50%');
  checks.want([agentOf('a', 60_000)]);
  await clock.advance(1000);
  checks.want([agentOf('a', 1000)]);
  expect(checks.wordOf('a')).toEqual({ weightPercent: 50 });
  await clock.advance(5000);
  expect(asked.length).toBeGreaterThan(4);
});

test('nobody is asked after the end', async () => {
  const { clock, checks, asked } = rig();
  checks.want([agentOf('a')]);
  checks.stop();
  checks.want([agentOf('b')]);
  await clock.advance(10_000);
  expect(asked).toEqual([]);
});
