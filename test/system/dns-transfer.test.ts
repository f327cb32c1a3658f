// Transfers and NOTIFY with BIND, NSD and Knot as they are: as secondaries and as primaries of
// ours, and with the tools that operators ask by. All on loopback.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { transferIn } from '../../dns/transfer/ask.ts';
import { Notifier } from '../../dns/transfer/notifier.ts';
import { Secondaries } from '../../dns/transfer/secondaries.ts';
import { until } from '../../lab/ready.ts';
import { systemClock } from '../../shared/clock.ts';
import { formatName, lowerName } from '../../shared/dns/names.ts';
import { typeName, typeOf } from '../../shared/dns/rdata.ts';
import { RecordList } from '../../shared/dns/zone/record-list.ts';
import { describeError } from '../../shared/errors.ts';
import { systemRandom } from '../../shared/random.ts';
import { nameOf, recordsOfText } from '../support/dns/resolve-rig.ts';
import {
  KEY_NAME,
  PEERS,
  Peer,
  type PeerKind,
  type PeerOptions,
  SECRET,
} from '../support/dns/transfer-peers.ts';
import { EVERYBODY, policyOf, TransferRig } from '../support/dns/transfer-rig.ts';
import { needs, program } from '../support/skip.ts';

const ZONE = 'example.com';
const KEY = {
  name: nameOf(KEY_NAME),
  algorithm: 'hmac-sha256',
  secret: Buffer.from(SECRET, 'base64'),
} as const;

/** A host with the serial's number, many others, and types of all kinds. */
const zoneText = (serial: number, expire = 1_209_600, refresh = 1) => `$ORIGIN ${ZONE}.
$TTL 300
@ SOA ns Host\\.Master ${serial} ${refresh} ${refresh} ${expire} 60
@ NS ns
@ MX 10 Mail
@ TXT "a" "b c" "\\"quoted\\""
ns A 192.0.2.53
ns AAAA 2001:db8::53
mail A 192.0.2.25
_sip._tcp SRV 1 2 5060 mail
svc HTTPS 1 . alpn=h2 port=443
sub NS ns.sub
ns.sub A 192.0.2.54
*.w 60 CNAME ns
\\000x.y TYPE65280 \\# 3 abcdef
h${serial} A 192.0.2.1
${Array.from({ length: 500 }, (_, index) => `p${index} A 192.0.2.${index % 250}\n`).join('')}`;

const clean: (() => unknown)[] = [];
beforeEach((context) => needs(context, ...PEERS.map(program)));
afterEach(async () => {
  for (const each of clean.splice(0).reverse()) await each();
});

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'edge-transfer-'));
  clean.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function ourServer() {
  const rig = new TransferRig();
  rig.keys.set(KEY_NAME, KEY);
  const { port, close } = await rig.listen();
  clean.push(close);
  clean.push(() => expect(rig.exceptions).toEqual([]));
  return { rig, port };
}

async function startPeer(options: Omit<PeerOptions, 'directory' | 'zone'>): Promise<Peer> {
  const peer = await Peer.start({ ...options, directory: temporary(), zone: ZONE });
  clean.push(() => peer.stop());
  return peer;
}

function toldOf(list: RecordList): string[] {
  const lines = Array.from({ length: list.count }, (_, index) => {
    const type = list.type(index);
    const owner = formatName(lowerName(list.owner(index)));
    const data = typeOf(type).format(list.rdata(index)).toLowerCase();
    return `${owner} ${list.ttlSeconds(index)} ${typeName(type)} ${data}`;
  });
  return lines.sort();
}
const wanted = (serial: number, expire?: number) =>
  toldOf(recordsOfText(ZONE, zoneText(serial, expire)));

const asking = (port: number, signal = new AbortController().signal) => ({
  from: { host: '127.0.0.1', port },
  zone: nameOf(ZONE),
  clock: systemClock,
  random: systemRandom,
  signal,
});

/** What a server has, once it has that serial. */
async function heldBy(peer: Peer, serial: number): Promise<string[]> {
  const list = await until(
    `serial ${serial} at the peer`,
    async () => {
      const received = await transferIn(asking(peer.port));
      return received.kind === 'whole' && received.serial === serial && received.records;
    },
    { everyMs: 100 },
  ).catch((error: Error) => {
    throw new Error(`${error.message}\n${peer.output}`);
  });
  return toldOf(list);
}

describe('secondaries of ours', () => {
  test.each<[PeerKind, boolean]>([
    ['named', true],
    ['named', false],
    ['nsd', true],
    ['knotd', true],
  ])('%s, signed: %s', async (kind, isSigned) => {
    const { rig, port } = await ourServer();
    const policy = isSigned ? policyOf([], [KEY_NAME]) : EVERYBODY;
    rig.putText(ZONE, zoneText(1), { policy });
    const peer = await startPeer({ kind, ours: port, isSigned });
    expect(await heldBy(peer, 1)).toEqual(wanted(1));
    expect(rig.counts['axfr-out']).toBeGreaterThan(0);

    const failed: string[] = [];
    const notifier = new Notifier({
      keys: rig.keys,
      counts: rig.counts,
      clock: systemClock,
      random: systemRandom,
      onFailed: (_, target, why) => failed.push(`${target}: ${why}`),
    });
    clean.push(() => notifier.stop());
    const target = { to: `127.0.0.1:${peer.port}`, ...(isSigned && { key: KEY_NAME }) };
    for (const serial of [2, 3]) {
      rig.putText(ZONE, zoneText(serial));
      const { image } = rig.zones.get(ZONE) ?? {};
      if (image !== undefined) notifier.changed(ZONE, image, [target]);
      expect(await heldBy(peer, serial)).toEqual(wanted(serial));
    }
    expect(rig.counts['ixfr-out']).toBeGreaterThan(0);
    expect(rig.counts['tsig-refused']).toBe(0);
    await until('the acknowledgement', () => notifier.pending === 0);
    expect(failed).toEqual([]);
  });
});

type Told = { rig: TransferRig; secondaries: Secondaries; failed: string[]; expired: () => number };

/** A secondary of the peer, behind our server. */
function secondaryOf(
  { rig }: { rig: TransferRig },
  peer: { port: number },
  directory: string,
  key?: string,
): Told {
  const failed: string[] = [];
  let expired = 0;
  const primaries = [{ from: `127.0.0.1:${peer.port}`, ...(key !== undefined && { key }) }];
  const secondaries = new Secondaries({
    directory,
    keys: rig.keys,
    counts: rig.counts,
    limits: { refreshMinMs: 300, refreshMaxMs: 60_000 },
    clock: systemClock,
    random: systemRandom,
    onZone: (zone, news) => {
      if (news === 'expired') expired++;
      if (news === 'expired') rig.put(zone, undefined, { primaries });
      else rig.putRecords(zone, RecordList.of(news.records), { primaries });
    },
    onFailed: (_, why) => failed.push(why),
  });
  clean.push(() => secondaries.stop());
  rig.whenHeard(({ zone, primary, serial }) => secondaries.notified(zone, primary, serial));
  secondaries.want(new Map([[ZONE, primaries]]));
  return { rig, secondaries, failed, expired: () => expired };
}

/** What our server serves, asked as anybody would. */
async function servedBy(port: number, told: Told, serial: number): Promise<string[]> {
  const list = await until(`serial ${serial} at ours`, async () => {
    if (told.rig.zones.get(ZONE)?.image?.serial !== serial) return false;
    const received = await transferIn(asking(port));
    return received.kind === 'whole' && received.records;
  }).catch((error: Error) => {
    throw new Error(`${error.message}\n${told.failed.join('\n')}`);
  });
  return toldOf(list);
}

describe('primaries of ours', () => {
  test.each<[PeerKind, boolean]>([
    ['named', true],
    ['knotd', true],
    ['knotd', false],
  ])('%s, signed: %s', async (kind, isSigned) => {
    const { rig, port } = await ourServer();
    // Refresh is a day, so that what comes soon comes by NOTIFY.
    const text = (serial: number) => zoneText(serial, undefined, 86_400);
    const expected = (serial: number) => toldOf(recordsOfText(ZONE, text(serial)));
    const peer = await startPeer({ kind, ours: port, text: text(1), isSigned });
    const told = secondaryOf({ rig }, peer, temporary(), isSigned ? KEY_NAME : undefined);
    expect(await servedBy(port, told, 1)).toEqual(expected(1));
    for (const serial of [2, 3]) {
      peer.replaceZone(text(serial));
      expect(await servedBy(port, told, serial)).toEqual(expected(serial));
    }
    expect(rig.counts).toMatchObject({ 'axfr-in': 1, 'ixfr-in': 2 });
    expect(rig.counts['notify-heard']).toBeGreaterThanOrEqual(2);
    expect(told.secondaries.status()).toMatchObject([
      { zone: ZONE, state: 'current', serial: 3, failures: 0, heardFrom: `127.0.0.1:${peer.port}` },
    ]);
  });

  test('one that is gone: served from the copy on disk, until it expires', async () => {
    const { rig, port } = await ourServer();
    const peer = await startPeer({
      kind: 'knotd',
      ours: port,
      text: zoneText(1, 4),
      isSigned: false,
    });
    const directory = temporary();
    const first = secondaryOf({ rig }, peer, directory);
    expect(await servedBy(port, first, 1)).toEqual(wanted(1, 4));
    await until('the copy', () => readdirSync(directory).some((each) => each.endsWith('.copy')));
    await peer.stop('SIGKILL');
    await first.secondaries.stop();

    const again = await ourServer();
    const second = secondaryOf(again, peer, directory);
    expect(await servedBy(again.port, second, 1)).toEqual(wanted(1, 4));
    await until('a failure', () => (second.secondaries.status()[0]?.failures ?? 0) > 0);
    expect(second.expired()).toBe(0);
    await until('its end', () => second.expired() === 1);
    expect(second.secondaries.status()).toMatchObject([{ state: 'expired', serial: 1 }]);
    await expect(transferIn(asking(again.port)).catch(describeError)).resolves.toContain(
      'SERVFAIL',
    );
  });

  test('one with another secret is refused, and it says why', async () => {
    const { rig, port } = await ourServer();
    rig.keys.set(KEY_NAME, { ...KEY, secret: new Uint8Array(32) });
    const peer = await startPeer({ kind: 'named', ours: port, text: zoneText(1), isSigned: true });
    const told = secondaryOf({ rig }, peer, temporary(), KEY_NAME);
    await until('the reason', () => told.failed.some((why) => why.includes('BADSIG')));
    expect(told.secondaries.status()).toMatchObject([{ state: 'waiting' }]);
  });
});

const run = promisify(execFile);

/** The records that it shows, blanks as one. */
async function tool(name: 'dig' | 'kdig', port: number, ...words: string[]): Promise<string[]> {
  const at = ['@127.0.0.1', '-p', String(port), '+timeout=5', '+tries=1', '+retry=0'];
  const options = name === 'dig' ? at.slice(0, -1) : at.filter((word) => word !== '+tries=1');
  const { stdout } = await run(name, [...options, ...words]).catch(
    (error: { stdout: string }) => error, // they end with a number when it is refused
  );
  const lines = stdout.split('\n').map((line) => line.replaceAll(/\s+/g, ' ').trim());
  return lines.filter((line) => /^[^;]/.test(line) && !line.includes(' ANY TSIG '));
}

describe.each(['dig', 'kdig'] as const)('%s', (name) => {
  const signature = `hmac-sha256:${KEY_NAME}:${SECRET}`;
  const wrong = `hmac-sha256:${KEY_NAME}:${Buffer.alloc(32, 8).toString('base64')}`;

  test('AXFR and IXFR, with a signature and without', async (context) => {
    needs(context, program(name));
    const { rig, port } = await ourServer();
    rig.putText(ZONE, zoneText(1), { policy: policyOf([], [KEY_NAME]) });
    rig.putText(ZONE, zoneText(2));
    const owners = (lines: readonly string[]) => lines.map((line) => line.split(' ')[0]);
    const whole = await tool(name, port, '-y', signature, ZONE, 'AXFR', '+tcp');
    expect(whole).toHaveLength(wanted(2).length + 1);
    expect(owners(whole)).toEqual(expect.arrayContaining([`h2.${ZONE}.`, `\\000x.y.${ZONE}.`]));

    const changes = await tool(name, port, '-y', signature, ZONE, 'IXFR=1', '+tcp');
    expect(owners(changes)).toEqual(
      [ZONE, ZONE, `h1.${ZONE}`, ZONE, `h2.${ZONE}`, ZONE].map((owner) => `${owner}.`),
    );
    const current = await tool(name, port, '-y', signature, ZONE, 'IXFR=2', '+tcp');
    expect(owners(current)).toEqual([`${ZONE}.`]);

    expect(await tool(name, port, ZONE, 'AXFR', '+tcp')).toEqual([]);
    expect(await tool(name, port, '-y', wrong, ZONE, 'AXFR', '+tcp')).toEqual([]);
    expect(rig.counts).toMatchObject({ 'out-refused': 1, 'tsig-refused': 1 });
  });
});
