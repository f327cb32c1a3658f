// A real edge-dns and a resolver of its own: ALIAS of names elsewhere, in every thread and on every
// way, and the query log as settings turn it on and off.
import { afterEach, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { TYPES } from '../../shared/dns/constants.ts';
import { decodeMessage } from '../../shared/dns/message.ts';
import { DnsRig } from '../support/dns/dns-rig.ts';
import { askUdp } from '../support/dns/packets-ask.ts';
import { ResolverStub, recordsOf } from '../support/dns/resolver-stub.ts';
import { queryHex, questionHex } from '../unit/dns/answer/packets.ts';

const ZONE = `$TTL 300
@ SOA ns hostmaster 1 3600 600 1209600 60
@ NS ns
ns A 192.0.2.53
@ ALIAS www
www CNAME cdn.elsewhere.example.
`;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

test('ALIAS of a name elsewhere; queries in the log', async () => {
  let isSilent = false;
  const resolver = await ResolverStub.open(({ questions: [question] }) => {
    if (isSilent) return undefined;
    const isV4 = question?.type === TYPES.A;
    const chain = 'cdn.elsewhere.example 50 CNAME edge.elsewhere.example';
    const address = 'edge.elsewhere.example 5 A 198.51.100.77';
    const authorities = recordsOf('elsewhere.example 5 SOA . . 1 2 3 4 5');
    if (!isV4) return { answers: recordsOf(chain), authorities };
    return { answers: recordsOf(chain, address) };
  });
  closing.push(() => resolver.close());
  const rig = await DnsRig.up({
    zones: { 'example.com': ZONE },
    config: { workers: 2, resolvers: [`127.0.0.1:${resolver.port}`], log: { level: 'info' } },
  });
  closing.push(() => rig.down());

  const asked = async (type: number) => {
    const answer = await askUdp(
      rig.endpoint,
      queryHex({ question: questionHex('example.com', type) }),
    );
    return decodeMessage(new Uint8Array(answer ?? []));
  };
  await until('the addresses are known to all threads', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => asked(TYPES.A)));
    return answers.every(({ answers: [first] }) => first?.rdata.join('.') === '198.51.100.77');
  });
  const [first] = (await asked(TYPES.A)).answers;
  expect(first?.ttlSeconds).toBe(5);
  const none = await asked(TYPES.AAAA);
  expect(none).toMatchObject({ answers: [], authorities: [{ type: TYPES.SOA }] });
  expect(await rig.admin('/metrics')).toMatch(/edge_dns_alias_targets\{.*state="fresh".*\} 2/);

  isSilent = true;
  await until('it is kept although nobody says it', async () => {
    return /edge_dns_alias_targets\{.*state="kept".*\} [12]/.test(await rig.admin('/metrics'));
  });
  expect((await asked(TYPES.A)).answers).toHaveLength(1);

  const queries = () =>
    rig
      .logText()
      .split('\n')
      .filter((line) => line.includes('"event":"query"'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(queries()).toEqual([]);
  Object.assign(rig.config, { queryLog: { enabled: true, client: 'address', maxPerSecond: 1000 } });
  await rig.reload();
  for (let count = 0; count < 12; count++) await asked(TYPES.TXT);
  const texts = () => queries().filter(({ qtype }) => qtype === 'TXT');
  await until('all are in the log', async () => texts().length === 12);
  expect(texts()[0]).toMatchObject({
    level: 'info',
    client: '127.0.0.1',
    transport: 'udp',
    qname: 'example.com',
    outcome: 'no-data',
    rcode: 'NOERROR',
  });
  Object.assign(rig.config, { queryLog: { enabled: false } });
  await rig.reload();
  const before = texts().length;
  for (let count = 0; count < 4; count++) await asked(TYPES.TXT);
  expect(texts()).toHaveLength(before);
});
