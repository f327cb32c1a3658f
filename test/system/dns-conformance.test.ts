// Conformance over the wire: packets packed by hand, to a real edge-dns and to NSD, Knot and gdnsd
// on the same zones. Each has the answer and the counter that the tables say; where others differ
// is said, too, with why: anything else fails. docs/conformance-dns.md is the table for people.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DnsRig } from '../support/dns/dns-rig.ts';
import { askInOrder, askTcp, askUdp, framed } from '../support/dns/packets-ask.ts';
import { type ConformanceCase, NOT_LOADED } from '../support/dns/packets-cases.ts';
import { CASES, conformanceTable } from '../support/dns/packets-table.ts';
import { SILENCE, told } from '../support/dns/packets-told.ts';
import { ZONES, ZONES_OF_GDNSD } from '../support/dns/packets-zones.ts';
import { NameServer, type PeerName } from '../support/dns/peers.ts';
import { needs, program } from '../support/skip.ts';

const DOCUMENT = join(import.meta.dirname, '../../docs/conformance-dns.md');
const PEER_TABLE = [
  { name: 'nsd', program: 'nsd', version: '4.6.1', zones: ZONES },
  { name: 'knot', program: 'knotd', version: '3.2.6', zones: ZONES },
  { name: 'gdnsd', program: 'gdnsd', version: '3.8.1', zones: ZONES_OF_GDNSD },
] as const;

let rig: DnsRig;
beforeAll(async () => {
  const chaos = { 'version.bind': 'no' };
  rig = await DnsRig.up({ zones: ZONES, config: { nsid: 'rig', chaos } });
});
afterAll(() => rig?.down());

/** How often each end was come to by `act`; the canary's own question may come in between. */
async function counted(act: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await rig.outcomes();
  await act();
  const after = await rig.outcomes();
  const moved = Object.keys(after).map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)]);
  return Object.fromEntries(moved.filter(([, count]) => count !== 0));
}

describe('edge-dns', () => {
  test.each(CASES)('$what', async ({ query, overTcp, ours, outcome }) => {
    const isSilent = ours === SILENCE;
    const moved = await counted(async () => {
      const to = rig.endpoint;
      const [answer] = overTcp
        ? await askTcp(to, [framed(query)], 1)
        : [await (isSilent ? askInOrder(to, query) : askUdp(to, query))];
      expect(told(query, answer)).toBe(ours);
    });
    if (outcome !== 'chaos') delete moved.chaos;
    const times = outcome === 'chaos' ? expect.any(Number) : 1;
    // Behind silence comes a query of no zone, to know that the silence was one.
    const sentinel = isSilent ? { 'refused-zone': 1 } : {};
    expect(moved).toEqual({ [outcome]: times, ...sentinel });
  });

  test('each number of the list is there once, in one table', () => {
    const names = CASES.map(({ what }) => what);
    expect(new Set(names).size).toBe(names.length);
    expect(
      CASES.filter(({ others, why }) => (others === undefined) !== (why === undefined)),
    ).toEqual([]);
  });

  test('docs/conformance-dns.md shows these tables', () => {
    const lines = readFileSync(DOCUMENT, 'utf8').split('\n');
    const shown = lines.filter((line) => line.startsWith('|'));
    expect(shown).toEqual(conformanceTable());
  });
});

/** As its -v or -V says. */
function versionOf(command: string): string {
  const flag = { nsd: '-v', knotd: '-V', gdnsd: '-V' }[command] ?? '-v';
  const script = `${command} ${flag} 2>&1 || true`;
  const said = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(said)?.[0] ?? said;
}

describe.each(PEER_TABLE)('$name', (peer) => {
  beforeEach((context) => {
    needs(context, program(peer.program));
    const version = versionOf(peer.program);
    // What others answer is written down for one version of each.
    const met = version === peer.version;
    needs(context, { what: `${peer.program} ${peer.version}, not ${version}`, met, owed: false });
  });

  test('answers as ours does, but for what the tables say', async () => {
    const server = await NameServer.start(peer.name, peer.zones);
    try {
      const cases = CASES.filter(({ others }) => others?.[peer.name] !== NOT_LOADED);
      const measured: [string, string][] = [];
      for (const each of cases) measured.push([each.what, await answered(server, each)]);
      expect(Object.fromEntries(measured)).toEqual(
        Object.fromEntries(cases.map((each) => [each.what, expected(peer.name, each)])),
      );
    } finally {
      await server.stop();
    }
  });
});

async function answered({ port }: NameServer, { query, overTcp }: ConformanceCase) {
  const to = { host: '127.0.0.1', port };
  if (!overTcp) return told(query, await askInOrder(to, query));
  const [answer] = await askTcp(to, [framed(query)], 1);
  return told(query, answer);
}

function expected(name: PeerName, { ours, others }: ConformanceCase): string {
  return others?.[name] ?? ours;
}
