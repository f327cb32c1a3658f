import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noTransfers } from '../../../../dns/transfer/counts.ts';
import type { Received } from '../../../../dns/transfer/incoming.ts';
import { Secondaries } from '../../../../dns/transfer/secondaries.ts';
import type { SecondaryStatus, Upstream, ZoneNews } from '../../../../dns/transfer/secondary.ts';
import type { Primary } from '../../../../dns/transfer/types.ts';
import { until } from '../../../../lab/ready.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { diffZones } from '../../../../shared/dns/zone/diff.ts';
import { RecordList } from '../../../../shared/dns/zone/record-list.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { nameOf, recordsOfText } from '../../../support/dns/resolve-rig.ts';

const ZONE = 'example.com';
const origin = nameOf(ZONE);
const ONE: Primary = { from: '192.0.2.1:53' };
const TWO: Primary = { from: '192.0.2.2:53' };
const SECOND = 1000;
/** Refresh 100 s, retry 20 s, expire 1000 s. */
const zoneOf = (serial: number) => ({
  origin,
  serial,
  records: recordsOfText(
    ZONE,
    `$TTL 60\n@ SOA a b ${serial} 100 20 1000 4\n@ NS a\na A 192.0.2.1\nh${serial} A 192.0.2.2\n`,
  ),
});

/** Primaries as the test wants them; what they were asked, in order. */
class FakePrimaries implements Upstream {
  readonly serials = new Map<string, number | 'silent'>();
  readonly asked: string[] = [];
  /** How transfers are answered. */
  mode: 'whole' | 'differences' | 'wrong' | 'broken' = 'whole';

  async serial({ from }: Primary): Promise<number> {
    this.asked.push(`serial ${from}`);
    const serial = this.serials.get(from);
    if (serial === undefined || serial === 'silent') throw new Error(`${from} is silent`);
    return serial;
  }

  async transfer({ from }: Primary, _: unknown, have: number | undefined): Promise<Received> {
    this.asked.push(`from ${have ?? 'nothing'} ${from}`);
    const serial = Number(this.serials.get(from));
    if (this.mode === 'broken') throw new Error('the transfer is cut off');
    const zone = zoneOf(serial);
    if (have === undefined || this.mode === 'whole') return { kind: 'whole', ...zone };
    const from_ = zoneOf(this.mode === 'wrong' ? 77 : have);
    return { kind: 'differences', serial, diffs: [diffZones(from_, zone)] };
  }
}

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edge-secondaries-'));
});
const open: Secondaries[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.stop()));
  rmSync(directory, { recursive: true, force: true });
});

function start(primaries: readonly Primary[], upstream: FakePrimaries, clock = new ManualClock()) {
  const news: string[] = [];
  const failed: string[] = [];
  const counts = noTransfers();
  const tell = (told: ZoneNews) =>
    told === 'expired' ? told : `${told.serial}: ${RecordList.of(told.records).count} records`;
  const secondaries = new Secondaries({
    directory,
    keys: new Map(),
    limits: { refreshMinMs: 5 * SECOND, refreshMaxMs: 86_400 * SECOND },
    onZone: (_, told) => news.push(tell(told)),
    onFailed: (_, why) => failed.push(why),
    ...{ counts, clock, upstream },
    random: seededRandom(1),
  });
  open.push(secondaries);
  secondaries.want(new Map([[ZONE, primaries]]));
  const status = () => secondaries.status()[0] as SecondaryStatus; // there is one zone
  /** Disks are slower than a turn of the event loop. */
  const when = async (state: Partial<SecondaryStatus>, stepMs = 0) => {
    const isSo = ([key, value]: [string, unknown]) => Object(status())[key] === value;
    await until(JSON.stringify(state), async () => {
      await clock.advance(stepMs);
      return Object.entries(state).every(isSo);
    });
  };
  return { secondaries, news, failed, counts, clock, status, when };
}

describe('a zone that is transferred in', () => {
  test('at the start, and when the primary has a newer one at the time of refresh', async () => {
    const upstream = new FakePrimaries();
    upstream.serials.set(ONE.from, 7);
    const { news, clock, when, counts } = start([ONE], upstream);
    await when({ state: 'current', serial: 7 });
    expect(upstream.asked.splice(0)).toEqual(['serial 192.0.2.1:53', 'from nothing 192.0.2.1:53']);
    upstream.serials.set(ONE.from, 8);
    upstream.mode = 'differences';
    await clock.advance(80 * SECOND);
    expect(upstream.asked.splice(0)).toEqual([]);
    await clock.advance(40 * SECOND);
    await when({ serial: 8 });
    expect(upstream.asked).toEqual(['serial 192.0.2.1:53', 'from 7 192.0.2.1:53']);
    expect(news).toEqual(['7: 4 records', '8: 4 records']);
    expect(counts).toMatchObject({ 'axfr-in': 1, 'ixfr-in': 1, 'in-failed': 0 });
  });

  test('NOTIFY is heard at once, its sender asked first, an old serial ignored', async () => {
    const upstream = new FakePrimaries();
    upstream.serials.set(ONE.from, 7).set(TWO.from, 7);
    const { secondaries, clock, when } = start([ONE, TWO], upstream);
    await when({ serial: 7 });
    await clock.advance(SECOND);
    upstream.asked.length = 0;
    upstream.serials.set(TWO.from, 9);
    secondaries.notified(ZONE, TWO, 7);
    await clock.advance(0);
    expect(upstream.asked).toEqual([]);
    secondaries.notified(ZONE, TWO, 9);
    await when({ serial: 9, heardFrom: TWO.from });
    await clock.advance(SECOND);
    secondaries.notified(ZONE, TWO, undefined);
    await clock.advance(0);
    expect(upstream.asked.at(-1)).toBe('serial 192.0.2.2:53');
    secondaries.notified('example.net', TWO, undefined);
  });

  test('a flood of NOTIFY asks the primaries once a second', async () => {
    const upstream = new FakePrimaries();
    upstream.serials.set(ONE.from, 7);
    const { secondaries, clock, when } = start([ONE], upstream);
    await when({ serial: 7 });
    upstream.asked.length = 0;
    for (let sent = 0; sent < 100; sent++) {
      secondaries.notified(ZONE, ONE, 9);
      await clock.advance(SECOND / 10);
    }
    expect(upstream.asked.length).toBeGreaterThanOrEqual(9);
    expect(upstream.asked.length).toBeLessThanOrEqual(10);
  });

  test('primaries are asked in order: one that is silent, or behind, is passed over', async () => {
    const upstream = new FakePrimaries();
    upstream.serials.set(ONE.from, 'silent').set(TWO.from, 7);
    const { clock, when, failed } = start([ONE, TWO], upstream);
    await when({ serial: 7, heardFrom: TWO.from });
    expect(failed).toEqual(['192.0.2.1:53 is silent']);
    upstream.serials.set(ONE.from, 6).set(TWO.from, 8);
    await clock.advance(120 * SECOND);
    await when({ serial: 8 });
    expect(failed[1]).toBe('192.0.2.1:53 has serial 6, older than 7 here');
  });

  test('a transfer that fails changes nothing and is tried again after retry', async () => {
    const upstream = new FakePrimaries();
    upstream.serials.set(ONE.from, 7);
    const { clock, when, news, status, counts } = start([ONE], upstream);
    await when({ serial: 7 });
    upstream.serials.set(ONE.from, 8);
    upstream.mode = 'broken';
    await clock.advance(85 * SECOND);
    await when({ serial: 7, failures: 1, error: 'the transfer is cut off' }, SECOND);
    upstream.mode = 'whole';
    await clock.advance(25 * SECOND);
    await when({ serial: 8, failures: 0 });
    expect(status().error).toBeUndefined();
    expect(news).toEqual(['7: 4 records', '8: 4 records']);
    expect(counts['in-failed']).toBe(1);
  });

  test('differences that do not fit are refused, and the whole zone is fetched', async () => {
    const upstream = new FakePrimaries();
    upstream.serials.set(ONE.from, 7);
    const { clock, when, news } = start([ONE], upstream);
    await when({ serial: 7 });
    upstream.serials.set(ONE.from, 8);
    upstream.mode = 'wrong';
    await clock.advance(115 * SECOND);
    await when({ serial: 8 });
    expect(upstream.asked.slice(-2)).toEqual(['from 7 192.0.2.1:53', 'from nothing 192.0.2.1:53']);
    expect(news).toEqual(['7: 4 records', '8: 4 records']);
  });

  test('expires when nobody answers, and comes back with the same serial', async () => {
    const upstream = new FakePrimaries();
    upstream.serials.set(ONE.from, 7);
    const { clock, when, news, status } = start([ONE], upstream);
    await when({ serial: 7 });
    upstream.serials.set(ONE.from, 'silent');
    await clock.advance(999 * SECOND);
    expect(news).toEqual(['7: 4 records']);
    expect(status().failures).toBeGreaterThan(30);
    await clock.advance(1 * SECOND);
    expect([news.at(-1), status().state]).toEqual(['expired', 'expired']);
    upstream.serials.set(ONE.from, 7);
    await clock.advance(25 * SECOND);
    expect(news).toEqual(['7: 4 records', 'expired', '7: 4 records']);
    expect(upstream.asked.filter((each) => each.startsWith('from'))).toHaveLength(1);
    await when({ state: 'current' });
  });

  test('the copy on disk serves after a restart, for what is left of its time', async () => {
    const upstream = new FakePrimaries();
    upstream.serials.set(ONE.from, 7);
    const first = start([ONE], upstream);
    await first.when({ serial: 7 });
    await first.clock.advance(120 * SECOND); // confirmed once, so that the file is there
    await first.secondaries.stop();
    upstream.serials.set(ONE.from, 'silent');

    const later = new ManualClock(first.clock.nowMs() + 500 * SECOND);
    const second = start([ONE], upstream, later);
    await second.when({ serial: 7, state: 'current' });
    await later.advance(600 * SECOND);
    expect(second.news).toEqual(['7: 4 records', 'expired']);
    await second.secondaries.stop();

    const last = start([ONE], upstream, new ManualClock(later.nowMs() + 5000 * SECOND));
    await last.when({ serial: 7, state: 'expired' });
    expect(last.news).toEqual(['expired']);
  });

  test('is fetched whole when that is asked for', async () => {
    const upstream = new FakePrimaries();
    upstream.serials.set(ONE.from, 7);
    const { secondaries, clock, when } = start([ONE], upstream);
    await when({ serial: 7 });
    upstream.serials.set(ONE.from, 3); // a primary that was made anew
    expect([secondaries.refresh(ZONE, true), secondaries.refresh('example.net')]).toEqual([
      true,
      false,
    ]);
    await clock.advance(0);
    await when({ serial: 3 });
  });

  test('is forgotten, with its copy, when it is not wanted any more', async () => {
    const upstream = new FakePrimaries();
    upstream.serials.set(ONE.from, 7);
    const first = start([ONE], upstream);
    await first.when({ serial: 7 });
    first.secondaries.want(new Map());
    expect(first.secondaries.status()).toEqual([]);
    upstream.asked.length = 0;
    await first.clock.advance(500 * SECOND);
    expect(upstream.asked).toEqual([]);
    expect(first.clock.pending).toBe(0);
  });

  test('of an unknown key is not asked for, and says so', async () => {
    const clock = new ManualClock();
    const failed: string[] = [];
    const secondaries = new Secondaries({
      directory,
      keys: new Map(),
      limits: { refreshMinMs: SECOND, refreshMaxMs: SECOND },
      onZone: () => {},
      onFailed: (_, why) => failed.push(why),
      ...{ counts: noTransfers(), clock, random: seededRandom(1) },
    });
    open.push(secondaries);
    secondaries.want(new Map([[ZONE, [{ ...ONE, key: 'k' }]]]));
    await until('the word', async () => {
      await clock.advance(0);
      return failed.length > 0;
    });
    expect(failed[0]).toBe(`${ZONE} from 192.0.2.1:53: the settings have no key k`);
  });
});
