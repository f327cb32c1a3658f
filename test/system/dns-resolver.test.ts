// Unbound and BIND as resolvers in front of two edge-dns: what their users get, what they believe
// of signed zones, and what they keep by client subnet. In a network namespace of its own.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { unshareNetwork } from '../../shared/bpf/libc.ts';
import { DnsRig } from '../support/dns/dns-rig.ts';
import { askTcp, askUdp, framed } from '../support/dns/packets-ask.ts';
import { told } from '../support/dns/packets-told.ts';
import { RESOLVERS, Resolver, type ResolverName } from '../support/dns/peers-resolvers.ts';
import { Signer } from '../support/dns/peers-sign.ts';
import { ip } from '../support/network-namespace.ts';
import { needs, program, root } from '../support/skip.ts';
import { optHex, queryHex, questionHex } from '../unit/dns/answer/packets.ts';

const SERVERS = ['10.53.0.1', '10.53.0.2'];
const ADDRESSES = { unbound: '10.53.0.3', named: '10.53.0.4', subnets: '10.53.0.5' };
/** Who asks a resolver that tells name servers about it. */
const CLIENTS = ['10.1.2.1', '10.1.2.77', '10.1.3.1', '10.8.0.1', '10.9.0.1'];

const HEAD = `$TTL 300
@ SOA ns1.example. hm.example. 1 3600 600 86400 60
@ NS ns1.example.
@ NS ns2.example.
`;
const ZONES = {
  example: `${HEAD}ns1 A ${SERVERS[0]}\nns2 A ${SERVERS[1]}\n${[
    'one',
    'two',
    'signed',
    'optout',
    'forged',
    'smart',
  ]
    .map((child) => `${child} NS ns1\n${child} NS ns2\n`)
    .join('')}`,
  'one.example': `${HEAD}www A 192.0.2.1
www AAAA 2001:db8::1
@ MX 10 mail
mail A 192.0.2.25
svc HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1
svc SVCB 1 www port=8443
chain CNAME chain.two.example.
*.wild A 192.0.2.3
d DNAME two.example.
big TXT ${`"${'x'.repeat(99)}" `.repeat(24)}
`,
  'two.example': `${HEAD}chain CNAME www.one.example.\nend A 192.0.2.7\n`,
  'sub.signed.example': `${HEAD}www A 192.0.2.8\n`,
  'sub.optout.example': `${HEAD}www A 192.0.2.8\n`,
} as const;
const SIGNED = `${HEAD}www A 192.0.2.1
alias CNAME www
*.wild A 192.0.2.3
a.b.ent TXT "below an empty non-terminal"
d DNAME deep.signed.example.
sub NS ns1.example.
sub NS ns2.example.
`;

type Case = { name: string; type?: number; overTcp?: true; answer: string };

const PLAIN: Case[] = [
  { name: 'www.one.example', answer: 'www.one.example. A 192.0.2.1' },
  { name: 'www.one.example', type: 28, answer: 'www.one.example. AAAA 2001:db8::1' },
  { name: 'one.example', type: 15, answer: 'one.example. MX 10 mail.one.example.' },
  {
    name: 'svc.one.example',
    type: 65,
    answer: 'svc.one.example. HTTPS 1 . alpn="h2" ipv4hint=192.0.2.1',
  },
  {
    name: 'svc.one.example',
    type: 64,
    answer: 'svc.one.example. SVCB 1 www.one.example. port=8443',
  },
  {
    name: 'chain.one.example',
    answer:
      'chain.one.example. CNAME chain.two.example., chain.two.example. CNAME www.one.example., ' +
      'www.one.example. A 192.0.2.1',
  },
  { name: 'x.y.wild.one.example', answer: 'x.y.wild.one.example. A 192.0.2.3' },
  {
    name: 'end.d.one.example',
    answer:
      'd.one.example. DNAME two.example., end.d.one.example. CNAME end.two.example., ' +
      'end.two.example. A 192.0.2.7',
  },
  { name: 'big.one.example', type: 16, overTcp: true, answer: 'big.one.example. TXT (2400 bytes)' },
];

/** `ad`: validated. Behind NSEC3 with opt-out names may be that are not signed (RFC 5155 §9.2). */
const SECURE: Case[] = [
  ...['signed', 'optout'].flatMap((zone): Case[] => {
    const ad = zone === 'signed' ? ' ad' : '';
    const host = (name: string): string => `${name}.${zone}.example`;
    const www = `${host('www')}. A 192.0.2.1`;
    const alias = `${host('alias')}. CNAME ${host('www')}., ${www}`;
    const wild = `${host('x.wild')}. A 192.0.2.3`;
    return [
      { name: host('www'), answer: `NOERROR rd ra ad; ${www}` },
      { name: host('alias'), answer: `NOERROR rd ra ad; ${alias}` },
      { name: host('www'), type: 28, answer: 'NOERROR rd ra ad' },
      { name: host('b.ent'), answer: 'NOERROR rd ra ad' },
      { name: host('x.wild'), answer: `NOERROR rd ra${ad}; ${wild}` },
      { name: host('x.wild'), type: 28, answer: `NOERROR rd ra${ad}` },
      { name: host('absent'), answer: `NXDOMAIN rd ra${ad}` },
      { name: host('sub'), type: 43, answer: `NOERROR rd ra${ad}` },
      { name: host('www.sub'), answer: `NOERROR rd ra; ${host('www.sub')}. A 192.0.2.8` },
    ];
  }),
  {
    name: 'www.d.signed.example',
    answer:
      'NOERROR rd ra ad; d.signed.example. DNAME deep.signed.example., ' +
      'www.d.signed.example. CNAME www.deep.signed.example., www.deep.signed.example. A 192.0.2.9',
  },
  {
    name: 'www.deep.signed.example',
    answer: 'NOERROR rd ra ad; www.deep.signed.example. A 192.0.2.9',
  },
  {
    name: 'deep.signed.example',
    type: 43,
    answer: 'NOERROR rd ra ad; deep.signed.example. DS (36 bytes)',
  },
  { name: 'www.forged.example', answer: 'SERVFAIL rd ra' },
];

const rigs: DnsRig[] = [];
const resolvers = new Map<ResolverName, Resolver>();
const signer = new Signer();

beforeAll(async () => {
  if (!root().met) return;
  unshareNetwork();
  ip('link set lo up');
  for (const address of [...SERVERS, ...Object.values(ADDRESSES), ...CLIENTS]) {
    ip(`address add ${address}/32 dev lo`);
  }
  const { zones, anchors } = signedZones();
  for (const [index, host] of SERVERS.entries()) {
    const [beside] = rigs;
    rigs.push(
      await DnsRig.up({
        node: `dns-${index}`,
        zones: { ...ZONES, ...zones },
        lines: { a: ['10.0.0.0/8'], b: ['10.1.2.0/24'] },
        listen: [{ host, port: 53 }],
        ...(beside === undefined ? { site: SITE } : { beside }),
      }),
    );
  }
  for (const name of RESOLVERS) {
    const options = { address: ADDRESSES[name], servers: SERVERS, anchors };
    resolvers.set(name, await Resolver.start(name, options));
  }
});
beforeEach((context) => {
  needs(context, root(), program('unbound'), program('named'), program('dnssec-signzone'));
});
afterAll(async () => {
  for (const resolver of resolvers.values()) await resolver.stop();
  for (const rig of rigs.toReversed()) await rig.down();
  signer.remove();
});

const data = (address: string) => ({ data: [address] });
const SITE = {
  zones: [
    { zone: 'smart.example', soa: { primary: 'ns1.example', mail: 'hm.example' }, ttl: '5m' },
  ],
  records: [
    { name: 'smart.example', type: 'NS', data: ['ns1.example', 'ns2.example'] },
    {
      name: 'www.smart.example',
      type: 'A',
      lines: { a: data('198.51.100.1'), b: data('198.51.100.2'), default: data('198.51.100.3') },
    },
  ],
  lines: [{ name: 'a' }, { name: 'b' }],
};

/** One with NSEC and a signed child, one with NSEC3 and opt-out, one that was changed later. */
function signedZones() {
  const deep = signer.sign('deep.signed.example', `${HEAD}www A 192.0.2.9\n`);
  const delegation = 'deep NS ns1.example.\ndeep NS ns2.example.\n';
  const signed = signer.sign('signed.example', SIGNED + delegation);
  const optout = signer.sign('optout.example', SIGNED, { nsec3: 'opt-out' });
  const forged = signer.sign('forged.example', `${HEAD}www A 192.0.2.1\n`);
  return {
    zones: {
      'deep.signed.example': deep.text,
      'signed.example': signed.text,
      'optout.example': optout.text,
      'forged.example': forged.text.replaceAll('192.0.2.1', '192.0.2.66'),
    },
    anchors: {
      'signed.example': signed.anchor,
      'optout.example': optout.anchor,
      'forged.example': forged.anchor,
    },
  };
}

/** Without TTLs, which a cache has lowered, and without what stands behind the answer. */
async function resolved(
  resolver: Resolver | undefined,
  { name, type = 1, overTcp }: Omit<Case, 'answer'>,
  from?: string,
): Promise<string> {
  if (resolver === undefined) throw new Error('it does not run');
  // RD, and AD: whether it was validated is to be told.
  const query = queryHex({ flags: 0x0120, question: questionHex(name, type) }, optHex());
  const [answer] = overTcp
    ? await askTcp(resolver.endpoint, [framed(query)], 1)
    : [await askUdp(resolver.endpoint, query, { from })];
  const parts = told(query, answer).split('; ');
  const shown = parts.filter((part) => !/^(authority|additional|OPT)\b/.test(part));
  return shown.join('; ').replaceAll(/ \d+ (?=[A-Z]+ )/g, ' ');
}

describe.each(RESOLVERS)('%s', (name) => {
  test.each(PLAIN)('$name $type', async ({ answer, ...asked }) => {
    expect(await resolved(resolvers.get(name), asked)).toBe(`NOERROR rd ra; ${answer}`);
  });

  test('no such name, no such type', async () => {
    const resolver = resolvers.get(name);
    expect(await resolved(resolver, { name: 'absent.one.example' })).toBe('NXDOMAIN rd ra');
    expect(await resolved(resolver, { name: 'mail.one.example', type: 28 })).toBe('NOERROR rd ra');
  });

  test.each(SECURE)('$name $type', async ({ answer, ...asked }) => {
    expect(await resolved(resolvers.get(name), asked)).toBe(answer);
  });
});

describe('client subnets', () => {
  test('clients of different lines are told apart in the cache, and only those', async () => {
    const more = [
      'module-config: "subnetcache validator iterator"',
      'send-client-subnet: 10.53.0.0/24',
    ];
    const address = ADDRESSES.subnets;
    const resolver = await Resolver.start('unbound', { address, servers: SERVERS, more });
    try {
      const rows: string[] = [];
      for (const from of CLIENTS) {
        const before = await answeredByLine();
        const text = await resolved(resolver, { name: 'www.smart.example' }, from);
        const isNew = (await answeredByLine()) > before;
        rows.push(`${from} ${text.split(' ').at(-1)} ${isNew ? 'asked' : 'from the cache'}`);
      }
      expect(rows).toEqual([
        '10.1.2.1 198.51.100.2 asked',
        '10.1.2.77 198.51.100.2 from the cache',
        '10.1.3.1 198.51.100.1 asked',
        '10.8.0.1 198.51.100.1 asked',
        '10.9.0.1 198.51.100.1 from the cache',
      ]);
    } finally {
      await resolver.stop();
    }
  });
});

async function answeredByLine(): Promise<number> {
  const counts = await Promise.all(rigs.map(async (rig) => (await rig.status()).lineAnswers));
  return counts.flatMap((each) => Object.values(each)).reduce((sum, count) => sum + count, 0);
}
