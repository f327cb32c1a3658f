// Names of leases in a real Redis: two instances, one zone; and what is left when one is away.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MAX_WAITING, Names } from '../../../dhcpd/ddns/names.ts';
import { type NameRecords, RedisNames } from '../../../dhcpd/ddns/records.ts';
import { encodeRecord, packKey } from '../../../dhcpd/leases/record.ts';
import { CODE, type LeaseEvent, STATE } from '../../../dhcpd/leases/types.ts';
import { until } from '../../../lab/ready.ts';
import { ManualClock, systemClock } from '../../../shared/clock.ts';
import { seededRandom } from '../../../shared/random.ts';
import { nameKeys } from '../../../shared/store/keys.ts';
import { slotOf } from '../../../shared/store/slot.ts';
import { ip, simplePlan } from '../../support/dhcp/simple-plan.ts';
import { type RedisProcess, startRedis } from '../../support/redis.ts';

const ZONE = 'vm.example';
const NO_END = 0xffffffff;
const keys = nameKeys('dhcpd', ZONE);
const plan = simplePlan({
  subnets: [{ prefix: '10.1.0.0/16', ddnsZone: ZONE }],
  reservations: [{ at: '10.1.0.5', by: 'mac', mac: new Uint8Array(6), hostname: 'printer' }],
});
const before = simplePlan({ subnets: [{ prefix: '10.1.0.0/16', ddnsZone: ZONE }] });

let redis: RedisProcess;
let opened: RedisNames[];
let nowSeconds: number;

beforeAll(async () => {
  redis = await startRedis();
  const store = { url: redis.url, commandTimeoutMs: 5000 };
  opened = [new RedisNames(store), new RedisNames(store)];
});

afterAll(async () => {
  for (const records of opened) records.close();
  await redis.stop();
});

beforeEach(async () => {
  await redis.ask('FLUSHALL');
  nowSeconds = (await page()).nowSeconds;
});

function records(at: 0 | 1): RedisNames {
  const found = opened[at];
  if (found === undefined) throw new Error('beforeAll opens two');
  return found;
}

function instance(
  written: NameRecords,
  { clock = systemClock as ManualClock | typeof systemClock, of = plan } = {},
) {
  const logged: string[] = [];
  const write = (event: string) => void logged.push(event);
  const log = { debug: write, info: write, warn: write, error: write };
  const kept = { write: written.write.bind(written), close: () => {} }; // others need it
  const random = seededRandom(1);
  return { names: new Names({ records: kept, plan: () => of, clock, random, log }), logged };
}

type Said = {
  at: string;
  client?: number;
  type?: LeaseEvent['type'];
  hostname?: string;
  generation?: number;
  until?: number;
};

/** As the instance hears of what ran. */
function tell({ names }: { names: Names }, ...all: readonly Said[]): void {
  const ran = all.map(({ at, client = 1, type = 'bind', hostname, generation = 1, until }) => {
    const address = ip(at);
    const toldUntil = until ?? nowSeconds + 600;
    const packedKey = packKey(Uint8Array.of(1, client));
    const record = encodeRecord({ state: STATE.bound, generation, toldUntil, packedKey });
    const named = hostname === undefined ? {} : { hostname };
    const event = { type, mac: '', keyHex: '', ...named };
    const op = type === 'renew' ? 'bind' : type;
    return {
      item: { op, address, record, seconds: 0, event },
      result: { code: CODE.done, record },
    };
  });
  names.saw(
    ran.map(({ item }) => item),
    ran.map(({ result }) => result),
  );
}

const page = () => records(0).page(ZONE, '0', 1000);

/** Name by address, of names that live. */
async function shown(): Promise<Record<string, string>> {
  const { rows } = await page();
  return Object.fromEntries(rows.map(({ name, address }) => [name, address]));
}

async function lines(command: string): Promise<string[]> {
  const reply = await redis.ask(command);
  return reply.split('\r\n').filter((line) => line !== '' && !/^[*$:]/.test(line));
}

describe('two instances', () => {
  test.each<{ what: string; first: Said[]; next: Said[]; names: object; logged?: string[] }>([
    {
      what: 'each adds its own',
      first: [{ at: '10.1.0.7', hostname: 'a' }],
      next: [{ at: '10.1.0.8', client: 2, hostname: 'b' }],
      names: { a: '10.1.0.7', b: '10.1.0.8' },
    },
    {
      what: 'the first client keeps a name',
      first: [{ at: '10.1.0.7', hostname: 'a' }],
      next: [{ at: '10.1.0.8', client: 2, hostname: 'a' }],
      names: { a: '10.1.0.7' },
      logged: ['name-taken'],
    },
    {
      what: 'a name that ended is free',
      first: [{ at: '10.1.0.7', hostname: 'a', until: 1 }],
      next: [{ at: '10.1.0.8', client: 2, hostname: 'a' }],
      names: { a: '10.1.0.8' },
    },
    {
      what: 'the same client elsewhere takes its name along',
      first: [{ at: '10.1.0.7', hostname: 'a' }],
      next: [{ at: '10.1.9.7', hostname: 'a' }],
      names: { a: '10.1.9.7' },
    },
    {
      what: 'the next client of an address has it by its own name',
      first: [{ at: '10.1.0.7', hostname: 'a' }],
      next: [{ at: '10.1.0.7', client: 2, generation: 3, hostname: 'b' }],
      names: { b: '10.1.0.7' },
    },
    {
      what: 'and by none if it says none',
      first: [{ at: '10.1.0.7', hostname: 'a' }],
      next: [{ at: '10.1.0.7', client: 2, generation: 3 }],
      names: {},
    },
    {
      what: 'a client that is called otherwise now',
      first: [{ at: '10.1.0.7', hostname: 'a' }],
      next: [{ at: '10.1.0.7', type: 'renew', hostname: 'b' }],
      names: { b: '10.1.0.7' },
    },
    {
      what: 'a renewal without a name keeps it',
      first: [{ at: '10.1.0.7', hostname: 'a' }],
      next: [{ at: '10.1.0.7', type: 'renew' }],
      names: { a: '10.1.0.7' },
    },
    {
      what: 'a release takes it away',
      first: [{ at: '10.1.0.7', hostname: 'a' }],
      next: [{ at: '10.1.0.7', type: 'release', generation: 2 }],
      names: {},
    },
    {
      what: 'a late release does not take away the name of the next lease',
      first: [{ at: '10.1.0.7', hostname: 'a', generation: 3 }],
      next: [{ at: '10.1.0.7', type: 'release', generation: 2 }],
      names: { a: '10.1.0.7' },
    },
    {
      what: "a reservation's name is for its client alone",
      first: [{ at: '10.1.0.7', hostname: 'printer' }],
      next: [{ at: '10.1.0.5', client: 2, hostname: 'printer' }],
      names: { printer: '10.1.0.5' },
    },
  ])('$what', async ({ first, next, names, logged = [] }) => {
    const [a, b] = [instance(records(0)), instance(records(1))];
    tell(a, ...first);
    await a.names.stop();
    tell(b, ...next);
    await b.names.stop();
    expect(await shown()).toEqual(names);
    expect(b.logged).toEqual(logged);
    // The way back says the same.
    const back = Object.fromEntries(Object.entries(names).map(([name, at]) => [at, name]));
    const pairs = await lines(`HGETALL ${keys.addresses}`);
    const found = pairs.flatMap((one, at) => (at % 2 === 0 ? [[one, pairs[at + 1]]] : []));
    expect(Object.fromEntries(found)).toEqual(back);
  });

  test('a reservation that is made later takes its name, and keeps it', async () => {
    const [a, b] = [instance(records(0), { of: before }), instance(records(1))];
    tell(a, { at: '10.1.0.7', hostname: 'printer' });
    await a.names.stop();
    tell(b, { at: '10.1.0.5', client: 2, hostname: 'printer' });
    await b.names.stop();
    expect(await shown()).toEqual({ printer: '10.1.0.5' });
    const behind = instance(records(0), { of: before });
    tell(behind, { at: '10.1.0.7', type: 'renew', hostname: 'printer' });
    await behind.names.stop();
    expect(await shown()).toEqual({ printer: '10.1.0.5' });
    expect(behind.logged).toEqual(['name-taken']);
  });
});

describe('what dns reads', () => {
  test('each change is an entry, a renewal for its end', async () => {
    const one = instance(records(0));
    tell(one, { at: '10.1.0.7', hostname: 'a', until: NO_END });
    await until('it is written', async () => one.names.waiting === 0 && 'a' in (await shown()));
    tell(one, { at: '10.1.0.7', type: 'renew', hostname: 'a', until: nowSeconds + 60 });
    await until('it is written', async () => (await page()).rows[0]?.until === nowSeconds + 60);
    tell(one, { at: '10.1.0.7', type: 'release', generation: 2 });
    await one.names.stop();
    const entries = (await lines(`XRANGE ${keys.changes} - +`)).filter((line) => !/-\d/.test(line));
    const named = ['name', 'a', 'address', '10.1.0.7'];
    expect(entries).toEqual([
      ...[...named, 'until', `${NO_END}`],
      ...[...named, 'until', `${nowSeconds + 60}`],
      ...[...named, 'gone', '1'],
    ]);
  });

  test('the JSON of a name', async () => {
    const one = instance(records(0));
    tell(one, { at: '10.1.0.5', hostname: 'Printer', generation: 7, until: NO_END });
    await one.names.stop();
    const [json = ''] = await lines(`HGET ${keys.names} printer`);
    const record = { address: '10.1.0.5', generation: 7, key: '0101', reserved: true };
    expect(JSON.parse(json)).toEqual({ ...record, until: NO_END });
  });

  test('keys share a slot, and end a day after the last lease, if that ends', async () => {
    expect(new Set(Object.values(keys).map(slotOf)).size).toBe(1);
    const one = instance(records(0));
    tell(one, { at: '10.1.0.7', hostname: 'a' });
    await one.names.stop();
    for (const key of Object.values(keys)) {
      expect(await redis.ask(`EXPIRETIME ${key}`)).toBe(`:${nowSeconds + 600 + 86_400}\r\n`);
    }
    const two = instance(records(0));
    tell(two, { at: '10.1.0.8', client: 2, hostname: 'b', until: NO_END });
    await two.names.stop();
    for (const key of Object.values(keys)) expect(await redis.ask(`TTL ${key}`)).toBe(':-1\r\n');
  });

  test('what no dhcpd wrote counts as none, and gives way', async () => {
    await redis.ask(`HSET ${keys.names} a null b {`);
    const one = instance(records(0));
    tell(one, { at: '10.1.0.7', hostname: 'a' }, { at: '10.1.0.8', client: 2, hostname: 'b' });
    await one.names.stop();
    expect(await shown()).toEqual({ a: '10.1.0.7', b: '10.1.0.8' });
  });
});

test('a name whose end nobody has cleared away yet is not shown, and free', async () => {
  const ended = { address: '10.1.0.7', generation: 1, key: '0109', reserved: false, until: 1 };
  await redis.ask(`HSET ${keys.names} a ${JSON.stringify(JSON.stringify(ended))}`);
  expect(await shown()).toEqual({});
  const one = instance(records(0));
  tell(one, { at: '10.1.0.8', hostname: 'a' });
  await one.names.stop();
  expect(await shown()).toEqual({ a: '10.1.0.8' });
});

test('an instance that has nothing to write takes away what has ended, in slices', async () => {
  const changes = Array.from({ length: 250 }, (_, at) => ({
    ...{ op: 'set', zone: ZONE, address: ip(`10.1.1.${at}`), name: `n${at}`, key: `01${at}` },
    ...{ untilSeconds: nowSeconds - 1, generation: 1, reserved: false },
  }));
  const { ended } = await records(0).write(ZONE, changes as never); // as sets, each of them
  expect(ended).toBe(100);
  const clock = new ManualClock();
  const idle = instance(records(1), { clock });
  await clock.advance(15_000);
  await until('all are gone', () => idle.names.counts.get('ended') === 150);
  await idle.names.stop();
  const left = await Promise.all(
    [keys.names, keys.addresses].map((key) => lines(`HGETALL ${key}`)),
  );
  expect(left).toEqual([[], []]);
});

test('while the store is away names wait, the latest of each address, so many', async () => {
  let isAway = true;
  const away: NameRecords = {
    write: async (...args) => {
      if (isAway) throw new Error('away');
      return records(0).write(...args);
    },
    close: () => {},
  };
  const clock = new ManualClock();
  const one = instance(away, { clock });
  const many = Array.from({ length: MAX_WAITING + 5 }, (_, at) => ({
    at: `10.1.${1 + (at >> 8)}.${at & 255}`,
    client: 2,
    ...(at === 0 ? { hostname: 'first' } : {}),
  }));
  tell(one, ...many);
  tell(one, { at: '10.1.1.0', client: 2, type: 'renew', hostname: 'second' });
  await until('it failed', () => one.logged.includes('names-unwritten'));
  expect(one.names.waiting).toBe(MAX_WAITING);
  expect(one.names.counts.get('dropped')).toBe(5);
  isAway = false;
  await clock.advance(2000);
  await until('all is written', () => one.names.waiting === 0);
  await one.names.stop();
  expect(await shown()).toEqual({ second: '10.1.1.0' });
  expect(one.logged).toEqual(['names-unwritten']);
});
