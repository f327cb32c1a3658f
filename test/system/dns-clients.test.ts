// Clients that others wrote, against a real edge-dns: Node's own resolver, kdig, dig, and the
// packages dns-packet and node-dns.
import { Resolver } from 'node:dns/promises';
import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { type DecodedPacket, decode, encode, streamDecode, streamEncode } from 'dns-packet';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { execute } from '../../lab/exec.ts';
import { DnsRig } from '../support/dns/dns-rig.ts';
import { askTcp, askUdp } from '../support/dns/packets-ask.ts';
import { ZONES } from '../support/dns/packets-zones.ts';
import { needs, program } from '../support/skip.ts';

const BIG = Array.from({ length: 24 }, () => 'x'.repeat(99));

let rig: DnsRig;
beforeAll(async () => {
  rig = await DnsRig.up({ zones: ZONES, config: { nsid: 'edge-one' } });
});
afterAll(() => rig?.down());

async function overTcp(act: () => Promise<unknown>): Promise<number> {
  const before = (await rig.status()).received.tcp ?? 0;
  await act();
  return ((await rig.status()).received.tcp ?? 0) - before;
}

describe("Node's resolver", () => {
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  beforeAll(() => resolver.setServers([`127.0.0.1:${rig.endpoint.port}`]));

  test('reads all types that it knows', async () => {
    expect(await resolver.resolve4('www.example.com', { ttl: true })).toEqual([
      { address: '192.0.2.1', ttl: 300 },
    ]);
    expect(await resolver.resolve6('v6.example.com')).toEqual(['2001:db8::6']);
    expect(await resolver.resolve4('chain.example.com')).toEqual(['192.0.2.1']);
    expect(await resolver.resolveCname('chain.example.com')).toEqual(['chain2.example.com']);
    expect((await resolver.resolveNs('example.com')).toSorted()).toEqual([
      'ns1.example.com',
      'ns2.example.net',
    ]);
    expect(await resolver.resolveMx('example.com')).toEqual([
      expect.objectContaining({ exchange: 'mail.example.com', priority: 10 }),
    ]);
    expect(await resolver.resolveSrv('_sip._tcp.example.com')).toEqual([
      expect.objectContaining({ name: 'www.example.com', port: 5060, priority: 1, weight: 2 }),
    ]);
    expect(await resolver.resolveSoa('example.com')).toMatchObject({ serial: 1, minttl: 60 });
  });

  test('comes back over TCP for what is too long', async () => {
    const times = await overTcp(async () => {
      expect(await resolver.resolveTxt('big.example.com')).toEqual([BIG]);
    });
    expect(times).toBe(1);
  });

  test('tells no such name from no such type', async () => {
    await expect(resolver.resolve4('absent.example.com')).rejects.toMatchObject({
      code: 'ENOTFOUND',
    });
    await expect(resolver.resolve6('www.example.com')).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(resolver.resolve4('www.example.org')).rejects.toMatchObject({ code: 'EREFUSED' });
  });
});

/** What kdig cannot ask. */
const DIG_ONLY: [words: string, shown: RegExp][] = [
  ['+opcode=STATUS www.example.com', /status: NOTIMP/],
  ['+edns=1 +noednsnegotiation www.example.com', /status: BADVERS/],
];

describe.each(['kdig', 'dig'])('%s', (command) => {
  beforeEach((context) => needs(context, program(command)));

  async function said(...words: string[]): Promise<string> {
    const at = ['@127.0.0.1', '-p', `${rig.endpoint.port}`];
    const { stdout } = await execute(command, [...at, '+timeout=2', '+retry=0', ...words]);
    return stdout;
  }

  const cases: [words: string, shown: RegExp][] = [
    ['+short www.example.com', /^192\.0\.2\.1\n$/],
    ['+short own.example.com TYPE65280', /^\\# 3 ABCDEF\n$/],
    ['+short -c CH -t TXT id.server', /^"rig"\n$/],
    ['absent.example.com', /status: NXDOMAIN/],
    ['+nsid www.example.com', /NSID: .*edge-one/],
    ['+subnet=2001:db8::/56 www.example.com', /SUBNET: 2001:db8::\/56\/0/],
    ['+cookie www.example.com', /COOKIE: [0-9a-f]{48}|COOKIE: [0-9A-F]{16}/],
    ['+tcp +keepopen www.example.com mail.example.com', /192\.0\.2\.25/],
    ['d.example.com DNAME', /DNAME\s+target\.example\.net\./],
    ['svc.example.com TYPE65', /1 \. alpn="?h2"?/],
    ...(command === 'dig' ? DIG_ONLY : []),
  ];

  test.each(cases)('%s', async (words, shown) => {
    expect(await said(...words.split(' '))).toMatch(shown);
  });

  test('comes back over TCP for what is too long', async () => {
    const times = await overTcp(async () => {
      expect((await said('+short', 'big.example.com', 'TXT')).match(/"x{99}"/g)?.length).toBe(24);
    });
    expect(times).toBe(1);
  });

  test('gets no zone by AXFR', async () => {
    const text = await said('example.com', 'AXFR').catch((error: Error) => error.message);
    expect(text).toMatch(/REFUSED|[Tt]ransfer failed/);
    expect(text).not.toContain('192.0.2.1');
  });
});

describe('dns-packet', () => {
  const query = {
    type: 'query',
    id: 77,
    flags: 0x100,
    questions: [{ type: 'A', name: 'www.example.com' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 1232,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0x8000,
        flag_do: true,
        options: [{ code: 'CLIENT_SUBNET', family: 1, ip: '203.0.113.0', sourcePrefixLength: 24 }],
      },
    ],
  } as const;
  const wanted = { id: 77, rcode: 'NOERROR', flag_aa: true, flag_tc: false, flag_rd: true };

  function judge(answer: DecodedPacket): void {
    expect(answer).toMatchObject(wanted);
    expect(answer.answers).toMatchObject([
      { name: 'www.example.com', type: 'A', ttl: 300, data: '192.0.2.1' },
    ]);
    const [opt] = answer.additionals ?? [];
    const subnet = { code: 8, ip: '203.0.113.0', sourcePrefixLength: 24, scopePrefixLength: 0 };
    expect(opt).toMatchObject({ type: 'OPT', flag_do: true, options: [subnet] });
  }

  // Its types want more of a query than it does.
  const packet = query as unknown as Parameters<typeof encode>[0];

  test('reads the answer to what it wrote, over UDP and TCP', async () => {
    const answer = await askUdp(rig.endpoint, encode(packet).toString('hex'));
    judge(decode(answer ?? Buffer.alloc(0)));
    const [message = Buffer.alloc(0)] = await askTcp(rig.endpoint, [streamEncode(packet)], 1);
    const length = Buffer.from([message.length >> 8, message.length & 255]);
    judge(streamDecode(Buffer.concat([length, message])) as DecodedPacket);
  });
});

/** What of node-dns is used, which brings no types: a request emits message, timeout and end. */
type NodeDns = {
  Question(of: { name: string; type: string }): unknown;
  Request(of: object): EventEmitter & { send(): void };
};

describe('node-dns', () => {
  const nodeDns = createRequire(import.meta.url)('node-dns') as NodeDns;

  function request(name: string, type: string, transport: 'udp' | 'tcp'): Promise<unknown> {
    const question = nodeDns.Question({ name, type });
    const server = { address: rig.endpoint.host, port: rig.endpoint.port, type: transport };
    const asked = nodeDns.Request({ question, server, timeout: 2000, cache: false });
    return new Promise((resolve, reject) => {
      asked.on('message', (error, answer) => (error ? reject(error) : resolve(answer)));
      asked.on('timeout', () => reject(new Error(`no answer to ${name}`)));
      asked.send();
    });
  }

  test.each(['udp', 'tcp'] as const)('reads answers over %s', async (transport) => {
    expect(await request('www.example.com', 'A', transport)).toMatchObject({
      header: { rcode: 0, aa: 1, tc: 0 },
      answer: [{ name: 'www.example.com', address: '192.0.2.1', ttl: 300 }],
    });
    expect(await request('example.com', 'MX', transport)).toMatchObject({
      answer: [{ exchange: 'mail.example.com', priority: 10 }],
    });
    expect(await request('absent.example.com', 'A', transport)).toMatchObject({
      header: { rcode: 3 },
      answer: [],
      authority: [{ minimum: 60 }],
    });
  });
});
