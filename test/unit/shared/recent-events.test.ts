import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../shared/clock.ts';
import { createLog } from '../../../shared/log.ts';
import { RecentEvents } from '../../../shared/recent-events.ts';

const line = (fields: Record<string, unknown>) =>
  `${JSON.stringify({ level: 'info', event: 'ready', ...fields })}\n`;

describe('what happened lately', () => {
  test('is what the log wrote, after it counted repetitions, without debug', async () => {
    const recent = new RecentEvents();
    const clock = new ManualClock();
    const log = createLog({
      service: 'natter',
      node: 'n1',
      events: { ready: { explanation: 'Serving.', remedy: 'Nothing.' } },
      level: 'debug',
      output: { write() {} },
      clock,
      onRecord: (text) => recent.add(text),
    });
    for (let at = 0; at < 30; at++) log.warn('ready', `serving ${at}`, { at });
    log.debug('ready', 'not this one');
    await clock.advance(10_000);
    const { events } = recent.page();
    expect(events).toHaveLength(11);
    expect(events[0]).toEqual({
      level: 'warn',
      time: '2026-01-01T00:00:00.000Z',
      service: 'natter',
      node: 'n1',
      event: 'ready',
      msg: 'serving 0',
      at: 0,
    });
    expect(events.at(-1)).toMatchObject({ msg: 'serving 29', suppressed: 19 });
  });

  test('is the last 200 records', () => {
    const recent = new RecentEvents();
    for (let at = 0; at < 1000; at++) recent.add(line({ at }));
    const { events } = recent.page();
    expect(events.map(({ at }) => at)).toEqual(Array.from({ length: 200 }, (_, at) => 800 + at));
  });

  test('is bounded by bytes, and a record too long keeps its head', () => {
    const recent = new RecentEvents();
    for (let at = 0; at < 200; at++) recent.add(line({ at, field: 'x'.repeat(8000) }));
    const { events } = recent.page();
    expect(JSON.stringify(events).length).toBeLessThan(270_000);
    expect(events.at(-1)).toMatchObject({ at: 199 });
    recent.add(line({ msg: 'm'.repeat(5000), field: 'x'.repeat(100_000) }));
    const last = recent.page().events.at(-1);
    expect(last).toMatchObject({ event: 'ready', shortened: true });
    expect(JSON.stringify(last).length).toBeLessThan(1200);
  });
});
