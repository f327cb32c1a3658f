// Conformance that is more than a question and an answer: scopes of nested prefixes, how TCP is
// cut, addresses, a reload in a burst, a store that is gone, messages that are none. Numbers are
// those of the list of cases.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { unshareNetwork } from '../../shared/bpf/libc.ts';
import { openPacketSocket } from '../../shared/bpf/packet-socket.ts';
import { decodeMessage } from '../../shared/dns/message.ts';
import { pick, seededRandom } from '../../shared/random.ts';
import { DnsRig } from '../support/dns/dns-rig.ts';
import { askInOrder, askTcp, askUdp, framed, SENTINEL } from '../support/dns/packets-ask.ts';
import { ask, withEdns, withOption } from '../support/dns/packets-cases.ts';
import { CASES } from '../support/dns/packets-table.ts';
import { told } from '../support/dns/packets-told.ts';
import { ZONES } from '../support/dns/packets-zones.ts';
import { NameServer } from '../support/dns/peers.ts';
import { ip } from '../support/network-namespace.ts';
import { ethernet, ipv4, udp } from '../support/packet.ts';
import { freePorts } from '../support/redis.ts';
import { needs, program, root } from '../support/skip.ts';
import { bytesOf, ecsHex, queryHex, questionHex } from '../unit/dns/answer/packets.ts';

const SMART = 'where.smart.example.';
const ANSWERS = { a: '198.51.100.10', b: '198.51.100.11', default: '198.51.100.12' };
const data = (address: string) => ({ data: [address] });
const SITE = {
  zones: [
    {
      zone: 'smart.example',
      soa: { primary: 'ns1.example.com', mail: 'hm.example.com' },
      ttl: '5m',
    },
  ],
  records: [
    { name: 'smart.example', type: 'NS', data: ['ns1.example.com'] },
    {
      name: 'where.smart.example',
      type: 'A',
      lines: { a: data(ANSWERS.a), b: data(ANSWERS.b), default: data(ANSWERS.default) },
    },
  ],
  lines: [{ name: 'a' }, { name: 'b' }],
};
const LINES = { a: ['10.0.0.0/8', '2001:db8:a::/48'], b: ['10.1.2.0/24'] };

const GDNSD_ZONE = `$TTL 300
@ SOA ns1.example.com. hm.example.com. 1 3600 600 86400 60
@ NS ns1.example.com.
where 300/300 DYNA geoip!where
`;
const GDNSD_NETS = `plugins => { geoip => {
  maps => { lines => {
    datacenters => [default, a, b]
    nets => { 10.0.0.0/8 => a, 10.1.2.0/24 => b, 2001:db8:a::/48 => a }
  } }
  resources => { where => {
    map => lines
    service_types => up
    dcmap => { default => ${ANSWERS.default}, a => ${ANSWERS.a}, b => ${ANSWERS.b} }
  } }
} }
`;

/** First bytes of what holds nobody's addresses (L2): there who asks decides. */
const NOBODYS = new Set([0, 100, 127, 169, 172, 192].concat(range(224, 256)));

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

type Link = { address: string; ifindex: number };

function link(name: string): Link {
  return (JSON.parse(ip(`-j link show ${name}`)) as [Link])[0]; // iproute2's own
}

let rig: DnsRig;
let port = 0;
beforeAll(async () => {
  if (root().met) {
    unshareNetwork();
    ip('link set lo up', 'link add v0 type veth peer name v1', 'link set v1 up');
    ip('address add 192.0.2.1/24 dev v0', 'link set v0 up');
  }
  [port = 0] = await freePorts(1);
  const listen = ['0.0.0.0', '::'].map((host) => ({ host, port }));
  rig = await DnsRig.up({ zones: ZONES, lines: LINES, site: SITE, listen });
});
afterAll(() => rig?.down());

const at = (host = '127.0.0.1') => ({ host, port });

/** Of an address of IPv4 in ECS: what it is answered, and the prefix that it holds for. */
async function scopeOf(address: number, to = at()): Promise<{ answer: string; prefix: string }> {
  const bytes = (address >>> 0).toString(16).padStart(8, '0').slice(0, 6);
  const query = withOption(ecsHex(1, 24, bytes), SMART);
  const text = told(query, await askUdp(to, query));
  const found = /300 A (\S+); OPT, ECS 1 \w+\/\d+ scope (\d+)$/.exec(text);
  if (found?.[1] === undefined) throw new Error(text);
  const bits = (address >>> 0).toString(2).padStart(32, '0');
  return { answer: found[1], prefix: bits.slice(0, Number(found[2])) };
}

describe('ECS by lines', () => {
  test.each([
    { what: 'in the inner net', address: 0x0a010200, answer: ANSWERS.b, scope: 24 },
    { what: 'beside the inner net', address: 0x0a010300, answer: ANSWERS.a, scope: 24 },
    { what: 'in the outer net, further away', address: 0x0a080000, answer: ANSWERS.a, scope: 13 },
    { what: 'beside the outer net', address: 0x0b000000, answer: ANSWERS.default, scope: 8 },
    { what: 'far away', address: 0xc8000000, answer: ANSWERS.default, scope: 1 },
  ])('79 $what: /$scope', async ({ address, answer, scope }) => {
    const found = await scopeOf(address);
    expect({ answer: found.answer, scope: found.prefix.length }).toEqual({ answer, scope });
  });

  const random = seededRandom(79);
  const near = Array.from({ length: 24 }, (_, bit) => (0x0a010200 ^ (1 << (bit + 8))) >>> 0);
  const far = Array.from({ length: 300 }, () => random.integer(0x1000000) * 256);
  const clients = [...near, 0x0a010200, ...far].filter((each) => !NOBODYS.has(each >>> 24));

  test('79 no scope overlaps another one', async () => {
    const seen = new Map<string, string>();
    for (const address of clients) {
      const { answer, prefix } = await scopeOf(address);
      expect(seen.get(prefix) ?? answer).toBe(answer);
      seen.set(prefix, answer);
    }
    const prefixes = [...seen.keys()].sort();
    for (const [index, prefix] of prefixes.entries()) {
      expect(prefixes[index + 1]?.startsWith(prefix) ?? false, prefix).toBe(false);
    }
    expect(new Set(seen.values())).toEqual(new Set(Object.values(ANSWERS)));
  });

  test('79 gdnsd has the same answers and scopes', async (context) => {
    needs(context, program('gdnsd'));
    const gdnsd = await NameServer.start('gdnsd', { 'smart.example': GDNSD_ZONE }, GDNSD_NETS);
    try {
      const to = { host: '127.0.0.1', port: gdnsd.port };
      for (const address of clients) {
        expect(await scopeOf(address, to)).toEqual(await scopeOf(address));
      }
    } finally {
      await gdnsd.stop();
    }
  });

  test.each([
    // Loopback, who asks, is of no line.
    { what: '76 /0: who asks decides', option: ecsHex(1, 0, ''), ecs: '1 -/0 scope 0' },
    { what: '77 127/8 is nobody', option: ecsHex(1, 8, '7f'), ecs: '1 7f/8 scope 8' },
    {
      what: '81 NAT64 in the inner net',
      option: ecsHex(2, 128, '0064ff9b00000000000000000a010201'),
      ecs: '2 0064ff9b00000000000000000a010201/128 scope 120',
      answer: ANSWERS.b,
    },
    {
      what: '81 6to4 in the outer net',
      option: ecsHex(2, 48, '20020a080000'),
      ecs: '2 20020a080000/48 scope 29',
      answer: ANSWERS.a,
    },
    {
      what: '69 IPv6',
      option: ecsHex(2, 56, '20010db8000a00'),
      ecs: '2 20010db8000a00/56 scope 48',
      answer: ANSWERS.a,
    },
  ])('$what', async ({ option, ecs, answer = ANSWERS.default }) => {
    const query = withOption(option, SMART);
    const wanted = `NOERROR aa rd; where.smart.example. 300 A ${answer}; OPT, ECS ${ecs}`;
    expect(told(query, await askUdp(at(), query))).toBe(wanted);
  });
});

describe('88 TCP', () => {
  const queries = ['www', 'big', 'v6'].map((name, id) =>
    queryHex({ id, question: questionHex(`${name}.example.com`, name === 'big' ? 16 : 1) }),
  );
  const whole = Uint8Array.from(queries.flatMap((query) => [...framed(query)]));

  test.each([
    { how: 'in one segment', pieces: [whole] },
    { how: 'byte by byte', pieces: [...whole].map((byte) => Uint8Array.of(byte)) },
    { how: 'cut within a length', pieces: [whole.subarray(0, 36), whole.subarray(36)] },
  ])('three queries $how', async ({ pieces }) => {
    const answers = await askTcp(at(), pieces, queries.length);
    const byId = answers.toSorted((one, other) => one.readUInt16BE(0) - other.readUInt16BE(0));
    expect(byId.map((answer, id) => told(queries[id] ?? '', answer).split(';')[0])).toEqual([
      'NOERROR aa rd',
      'NOERROR aa rd',
      'NOERROR aa rd',
    ]);
  });
});

describe('addresses', () => {
  // The socket that asks is connected: it hears no other address than the one that it asked.
  test.each(['127.0.0.1', '127.0.0.77', '::1'])('90 %s answers from itself', async (host) => {
    for (const query of [ask('www'), withEdns({}, 'two', 16)]) {
      expect(told(query, await askUdp(at(host), query))).toMatch(/^NOERROR aa rd; /);
    }
  });

  describe('forged', () => {
    beforeEach((context) => needs(context, root()));

    test('91 a query from port 0 is not answered', async () => {
      const before = (await rig.outcomes())['dropped-port-zero'] ?? 0;
      const [here, there] = [link('v0'), link('v1')];
      const socket = openPacketSocket(there.ifindex);
      const packet = ipv4('192.0.2.2', '192.0.2.1', udp(0, port, bytesOf(ask('www'))));
      socket.send(ethernet(here.address, there.address, packet));
      socket.close();
      await until('it to be counted', async () => {
        return (await rig.outcomes())['dropped-port-zero'] === before + 1;
      });
    });
  });
});

test('94 a reload in a burst: each answer is wholly of one zone', async () => {
  const zone = (generation: number) => `$TTL 60
@ SOA ns hm ${generation} 3600 600 86400 60
@ NS ns
ns A 192.0.2.1
both A 192.0.2.${generation}
both A 198.51.100.${generation}
`;
  rig.writeZone('burst.example', zone(1));
  await rig.reload();
  const query = queryHex({ question: questionHex('both.burst.example') });
  const seen = new Set<string>();
  let isOver = false;
  const asking = (async () => {
    while (!isOver) seen.add(told(query, await askUdp(at(), query)));
  })();
  for (const generation of [2, 3, 4]) {
    rig.writeZone('burst.example', zone(generation));
    await rig.reload();
  }
  isOver = true;
  await asking;
  const name = 'both.burst.example. 60 A';
  const wanted = [1, 2, 3, 4].map((generation) => {
    return `NOERROR aa rd; ${name} 192.0.2.${generation}, ${name} 198.51.100.${generation}`;
  });
  expect(wanted).toEqual(expect.arrayContaining([...seen]));
  expect(seen.size).toBeGreaterThan(1);
  expect(told(query, await askUdp(at(), query))).toBe(wanted[3]);
});

test.each([
  {
    allDown: 'all',
    answer: '; all.smart.example. 60 A 192.0.2.81, all.smart.example. 60 A 192.0.2.82',
  },
  { allDown: 'default', answer: '; default.smart.example. 60 A 192.0.2.90' },
  { allDown: 'none', answer: '; authority: smart.example. 300 SOA' },
])('93 all endpoints are down: $allDown', async ({ allDown, answer }) => {
  const targets = [{ address: '192.0.2.81' }, { address: '192.0.2.82' }];
  const down = { state: 'down', who: 'test', why: 'the test wants it' };
  await rig.setSite({
    ...SITE,
    pools: [{ name: 'down', targets, answer: 'all' }],
    overrides: targets.map(({ address }) => ({ address, pool: 'down', ...down })),
    records: [
      ...SITE.records,
      {
        name: `${allDown}.smart.example`,
        type: 'A',
        ttl: '60s',
        allDown,
        lines: {
          a: { pool: 'down' },
          default: allDown === 'default' ? data('192.0.2.90') : { pool: 'down' },
        },
      },
    ],
  });
  await rig.inForce();
  const query = withOption(ecsHex(1, 24, '0a0800'), `${allDown}.smart.example.`);
  const text = told(query, await askUdp(at(), query));
  expect(text).toContain(`NOERROR aa rd${answer}`);
});

test('95 Redis is gone: what was known is served, and it is told', async () => {
  await rig.redis.kill();
  const isUp = async () => (await rig.status()).units.dns.storeUp;
  await until('the loss to be seen', async () => !(await isUp()));
  const { answer } = await scopeOf(0x0a010200);
  expect(answer).toBe(ANSWERS.b);
  expect(await rig.admin('/metrics')).toMatch(/^edge_store_up(\{.*\})? 0$/m);
  await rig.redis.start();
  await until('it to be seen again', isUp);
});

test('96 messages that are none: it lives, and answers what decodes', async () => {
  const random = seededRandom(96);
  const seeds = CASES.filter(({ overTcp }) => overTcp === undefined).map(({ query }) => query);
  const socket = createSocket('udp4');
  const unreadable: string[] = [];
  let [answers, isOver] = [0, false];
  socket.on('message', (message) => {
    answers++;
    if (message.readUInt16BE(0) === 0xbeef) isOver = true;
    try {
      decodeMessage(message);
    } catch {
      unreadable.push(message.toString('hex'));
    }
  });
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  for (let round = 0; round < 200; round++) {
    for (let count = 0; count < 100; count++) socket.send(mutated(pick(random, seeds), random));
    isOver = false;
    await until(
      'the sentinel behind them to be answered',
      () => {
        socket.send(bytesOf(SENTINEL));
        return isOver;
      },
      { everyMs: 2 },
    );
  }
  socket.close();
  expect(unreadable).toEqual([]);
  expect(answers).toBeGreaterThan(2000);
  expect((await rig.outcomes())['servfail-exception']).toBe(0);
  const query = ask('www');
  expect(told(query, await askInOrder(at(), query))).toMatch(/^NOERROR aa rd; www 300 A/);
});

/** Some bytes are others, and sometimes some are missing or too many. */
function mutated(hex: string, random: ReturnType<typeof seededRandom>): Uint8Array {
  const seed = bytesOf(hex);
  const bytes = new Uint8Array(Math.max(0, seed.length + Math.max(0, random.integer(12) - 8)));
  bytes.set(seed);
  for (let change = random.integer(4); change >= 0; change--) {
    bytes[random.integer(Math.max(1, bytes.length))] = random.integer(256);
  }
  return bytes.subarray(0, random.integer(10) === 0 ? random.integer(bytes.length) : undefined);
}
