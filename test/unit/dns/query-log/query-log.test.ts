// Notes of all threads as records of the daemon's log.
import { expect, test } from 'vitest';
import type { QueryNote } from '../../../../dns/answer/query-sample.ts';
import { dnsEvents } from '../../../../dns/events.ts';
import { QueryLog } from '../../../../dns/query-log/query-log.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { createLog } from '../../../../shared/log.ts';

const note = (qname: string): QueryNote => ({
  atSeconds: 1_800_000_000,
  client: '192.0.2.0/24',
  transport: 'udp',
  outcome: 'answered',
  bytes: 45,
  qname,
  qtype: 'A',
});

function rig(maxPerSecond: number) {
  const clock = new ManualClock();
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    service: 'dns',
    node: 'n',
    events: dnsEvents,
    level: 'info',
    output: { write: (text: string) => void lines.push(JSON.parse(text)) },
    clock,
  });
  return { clock, lines, queries: new QueryLog({ maxPerSecond, clock, log }) };
}

test('each is a record, however many there are', () => {
  const { lines, queries } = rig(1000);
  queries.take(
    Array.from({ length: 50 }, (_, index) => note(`h${index}.example`)),
    0,
  );
  expect(lines).toHaveLength(50);
  expect(lines[49]).toMatchObject({
    level: 'info',
    event: 'query',
    at: '2027-01-15T08:00:00.000Z',
    client: '192.0.2.0/24',
    qname: 'h49.example',
    msg: 'h49.example A answered',
    bytes: 45,
  });
});

test('of all threads together no more than so many a second', async () => {
  const { clock, lines, queries } = rig(3);
  queries.take([note('a'), note('b')], 5);
  queries.take([note('c'), note('d')], 0);
  expect(lines).toHaveLength(3);
  expect(queries.dropped).toBe(6);
  await clock.advance(1000);
  queries.maxPerSecond = 1;
  queries.take([note('e'), note('f')], 0);
  expect(lines.at(-1)).toMatchObject({ qname: 'e' });
  expect(queries.dropped).toBe(7);
});
