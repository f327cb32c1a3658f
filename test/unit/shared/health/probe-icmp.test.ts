import { expect, test } from 'vitest';
import { systemClock } from '../../../../shared/clock.ts';
import type { Echo, EchoAnswer } from '../../../../shared/health/icmp.ts';
import { echoRequest, readReply } from '../../../../shared/health/icmp.ts';
import { createProbes } from '../../../../shared/health/probes.ts';
import { systemRandom } from '../../../../shared/random.ts';
import { needs, root } from '../../../support/skip.ts';
import { SHORT_MS, verdict } from './probe-rig.ts';

test.for(['127.0.0.1', '127.0.0.9', '::1', '0:0:0:0:0:0:0:1'])(
  'a real echo of %s',
  async (address, context) => {
    needs(context, root());
    expect(await verdict(address, { type: 'icmp' })).toBe('good: answered');
  },
);

/** Echoes that end as told; what was opened and closed. */
function fake(answer: EchoAnswer) {
  const calls: string[] = [];
  const openEcho = (version: 4 | 6): Echo => {
    calls.push(`open ${version}`);
    return {
      isOpen: true,
      ask: async () => answer,
      ping: async () => false,
      close: () => calls.push('close'),
    };
  };
  return { openEcho, calls };
}

test.each<[EchoAnswer, string, string[]]>([
  ['answered', 'good: answered', ['open 4', 'close']],
  ['silent', 'bad: timeout', ['open 4', 'close']],
  [{ unsent: 'network is unreachable' }, 'not-probed: network is unreachable', ['open 4', 'close']],
])('%s', async (answer, expected, opened) => {
  const { openEcho, calls } = fake(answer);
  expect(await verdict('192.0.2.1', { type: 'icmp' }, SHORT_MS, { openEcho })).toBe(expected);
  expect(calls).toEqual(opened);
});

test('a socket that failed gives way to a new one; one target without a way does not', async () => {
  const opened: { isOpen: boolean; closed: number }[] = [];
  const openEcho = (): Echo => {
    const echo = {
      isOpen: true,
      closed: 0,
      ask: async (): Promise<EchoAnswer> => ({ unsent: 'network is unreachable' }),
      ping: async () => false,
      close: () => echo.closed++,
    };
    opened.push(echo);
    return echo;
  };
  const probes = createProbes({ clock: systemClock, random: systemRandom, openEcho });
  const check = { type: 'icmp', intervalMs: 1000, timeoutMs: 1000, rise: 1, fall: 1 } as const;
  const target = { address: '192.0.2.1', check };
  await probes.probe(target);
  await probes.probe(target);
  expect(opened.map(({ closed }) => closed)).toEqual([0]);
  for (const echo of opened) echo.isOpen = false;
  await probes.probe(target);
  expect(opened.map(({ closed }) => closed)).toEqual([1, 0]);
  probes.close();
  expect(opened.map(({ closed }) => closed)).toEqual([1, 1]);
});

test('without the capability nothing is probed', async () => {
  const openEcho = (): Echo => {
    throw Object.assign(new Error('no'), { code: 'EDGE_ICMP' });
  };
  expect(await verdict('::1', { type: 'icmp' }, undefined, { openEcho })).toBe(
    'not-probed: cannot be asked: EDGE_ICMP',
  );
});

test('an answer is told by its identifier and kind', () => {
  for (const version of [4, 6] as const) {
    const header = version === 4 ? [0x45, ...Array(19).fill(0)] : [];
    const message = Buffer.concat([Buffer.from(header), echoRequest(7, 99, version)]);
    expect(readReply(message, 7, version)).toBeUndefined(); // our own question
    message[header.length] = version === 4 ? 0 : 129;
    expect(readReply(message, 7, version)).toBe(99);
    expect(readReply(message, 8, version)).toBeUndefined();
    expect(readReply(message.subarray(0, header.length + 7), 7, version)).toBeUndefined();
  }
});
