import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../shared/clock.ts';
import { OperationalError } from '../../../shared/errors.ts';
import { createLog, type LogOptions } from '../../../shared/log.ts';

const events = {
  'store-lost': { explanation: 'The store stopped answering.', remedy: 'Look at Redis.' },
  ready: { explanation: 'Serving.', remedy: 'Nothing.' },
};

function setUp(options: Partial<LogOptions<typeof events>> & { isTTY?: boolean } = {}) {
  const lines: string[] = [];
  const clock = new ManualClock();
  const output = { write: (text: string) => lines.push(text), isTTY: options.isTTY ?? false };
  const log = createLog({
    service: 'natter',
    node: 'n1',
    events,
    level: 'info',
    output,
    clock,
    ...options,
  });
  return { log, clock, lines, records: () => lines.map((line) => JSON.parse(line)) };
}

describe('log', () => {
  test('writes JSON lines whose fields come in a fixed order', () => {
    const { log, lines } = setUp();
    log.warn('store-lost', 'store does not answer', { url: 'redis://r1' });
    expect(lines).toEqual([
      '{"level":"warn","time":"2026-01-01T00:00:00.000Z","service":"natter","node":"n1",' +
        '"event":"store-lost","url":"redis://r1","msg":"store does not answer"}\n',
    ]);
  });

  test('keeps quiet below its level, which can change', () => {
    const { log, lines } = setUp();
    log.debug('ready', 'one');
    log.setLevel('debug');
    log.debug('ready', 'two');
    log.setLevel('error');
    log.warn('ready', 'three');
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['two']);
  });

  test('an error shows its code, remedy and causes', () => {
    const { log, records } = setUp();
    const cause = new OperationalError('EDGE_STORE_TIMEOUT', 'no answer in 200ms');
    const error = new OperationalError('EDGE_STORE_DOWN', 'store down', {
      cause,
      remedy: 'start it',
    });
    log.error('store-lost', 'store lost', { error });
    expect(records()[0].error).toEqual({
      code: 'EDGE_STORE_DOWN',
      message: 'store down',
      remedy: 'start it',
      cause: { code: 'EDGE_STORE_TIMEOUT', message: 'no answer in 200ms' },
    });
  });

  test('an event that repeats is written ten times, then counted', async () => {
    const seen: string[] = [];
    const { log, clock, records } = setUp({ onEvent: (event) => seen.push(event) });
    for (let i = 1; i <= 25; i++) log.warn('store-lost', `try ${i}`);
    log.info('ready', 'another event is not held back');
    expect(records()).toHaveLength(11);
    await clock.advance(10_000);
    expect(records().at(-1)).toMatchObject({ msg: 'try 25', suppressed: 14 });
    expect(records()).toHaveLength(12);
    expect(seen).toHaveLength(26);
    log.warn('store-lost', 'a new window');
    expect(records().at(-1).msg).toBe('a new window');
  });

  test('a slow trickle is never held back', async () => {
    const { log, clock, lines } = setUp();
    for (let i = 0; i < 30; i++) {
      log.info('ready', 'again');
      await clock.advance(1001);
    }
    expect(lines).toHaveLength(30);
  });

  test('flush writes what is held, once', async () => {
    const { log, clock, records } = setUp();
    for (let i = 1; i <= 12; i++) log.warn('store-lost', `try ${i}`);
    log.flush();
    expect(records().at(-1)).toMatchObject({ msg: 'try 12', suppressed: 1 });
    await clock.advance(20_000);
    expect(records()).toHaveLength(11);
  });

  test('a terminal gets one line, in colour unless told not to', () => {
    const plain = setUp({ isTTY: true, noColor: true });
    plain.log.warn('store-lost', 'no answer', { url: 'redis://r1', tries: 3, why: 'a b' });
    expect(plain.lines).toEqual([
      '00:00:00.000 WARN  store-lost no answer url=redis://r1 tries=3 why="a b"\n',
    ]);
    const colored = setUp({ isTTY: true });
    colored.log.warn('store-lost', 'no answer');
    expect(colored.lines[0]).toContain('\u001b[33mWARN ');
  });

  test('what came from the network cannot steer the terminal', () => {
    const { log, lines } = setUp({ isTTY: true, noColor: true });
    log.warn('store-lost', 'bad \u001b[2J name\n', { name: 'x\r\u009by' });
    expect(lines[0]?.slice(0, -1)).not.toMatch(/\p{Cc}/u);
  });
});
