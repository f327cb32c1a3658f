// Real clients on a real link: they get an address, keep it, and give it back.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { BRIDGE, DhcpdRig } from '../support/dhcpd-rig.ts';
import { ip } from '../support/network-namespace.ts';
import { needs, program, root } from '../support/skip.ts';

const scratch = mkdtempSync(join(tmpdir(), 'edge-clients-'));
const rig = new DhcpdRig();
/** What a distribution's script does of an address, and no more. */
const script = join(scratch, 'udhcpc.sh');
const SCRIPT = `#!/bin/sh
case $1 in
deconfig) ip address flush dev "$interface" ;;
bound | renew) ip address replace "$ip/$mask" dev "$interface" ;;
esac
`;
const udhcpc = ['-i', 'e0', '-n', '-q', '-f', '-s', script];
const once = [...udhcpc, '-t', '1', '-T', '1'];

beforeAll(async () => {
  writeFileSync(script, SCRIPT, { mode: 0o755 });
  if (!root().met) return;
  await rig.up(4);
  await rig.start();
});

afterAll(async () => {
  await rig.down();
  rmSync(scratch, { recursive: true });
});

/** Of the client's MAC; undefined: none is bound. */
async function boundTo(at: number): Promise<string | undefined> {
  const mac = await rig.client(at).mac();
  const [lease] = await rig.leases(`?mac=${mac}&state=bound`);
  return lease?.state === 'bound' ? lease.address : undefined;
}

describe('a client on the link', () => {
  test('udhcpc gets an address, the same again, renews and releases it', async (context) => {
    needs(context, root(), program('udhcpc'));
    const client = rig.client(0);
    const first = await client.run('udhcpc', ...udhcpc);
    const address = /lease of (10\.9\.0\.\d+) obtained from 10\.9\.0\.1/.exec(first.stderr)?.[1];
    expect(address, first.stderr).toBeDefined();
    expect(await boundTo(0)).toBe(address);
    const count = async (reason: string) => (await rig.status()).messages[reason] ?? 0;
    const again = await count('acked-again');
    const running = client.spawn('udhcpc', '-i', 'e0', '-f', '-s', script);
    try {
      await until('it has it again', async () => (await count('acked-again')) > again);
      expect(await boundTo(0)).toBe(address);
      const released = await count('released');
      await until('it renews', async () => {
        running.kill('SIGUSR1');
        return (await count('acked-cached')) + (await count('acked-renewal')) > 0;
      });
      running.kill('SIGUSR2');
      await until('it released', async () => (await count('released')) > released);
      await until('nobody holds it', async () => (await boundTo(0)) === undefined);
    } finally {
      running.kill('SIGKILL');
    }
  });

  test('dhclient gets an address and releases it', async (context) => {
    needs(context, root(), program('dhclient'));
    const client = rig.client(1);
    const files = ['-lf', join(scratch, 'leases'), '-pf', join(scratch, 'pid'), '-sf', '/bin/true'];
    const got = await client.run('dhclient', '-4', '-1', '-v', ...files, 'e0');
    const address = /bound to (10\.9\.0\.\d+)/.exec(got.stderr)?.[1];
    expect(address, got.stderr).toBeDefined();
    expect(await boundTo(1)).toBe(address);
    await client.run('ip', 'address', 'add', `${address}/24`, 'dev', 'e0');
    await client.run('dhclient', '-4', '-r', '-v', ...files, 'e0');
    await until('it is released', async () => (await boundTo(1)) === undefined);
  });

  test('what it was told is what explain says, and is in the log of leases', async (context) => {
    needs(context, root(), program('udhcpc'));
    const client = rig.client(2);
    await client.run('udhcpc', ...udhcpc);
    const [address, mac] = [await boundTo(2), await client.mac()];
    const clientId = `01${mac.replaceAll(':', '')}`; // as udhcpc says it
    const asked = { mac, clientId, link: BRIDGE };
    const explained = await rig.control('POST', '/explain', asked);
    expect(explained).toMatchObject({ verdict: 'offered', address, last: { type: 'REQUEST' } });
    const events = await rig.control('GET', `/lease/history?address=${address}`);
    expect(events).toMatchObject({ events: [{ type: 'bind', address, mac }] });
    const freed = await rig.control('POST', '/lease/release', { address });
    expect(freed).toMatchObject({ released: true, lease: { address, mac } });
    await until('it is free', async () => (await boundTo(2)) === undefined);
    const none = rig.control('POST', '/lease/release', { address: '10.9.0.199' });
    await expect(none).rejects.toMatchObject({ code: 'EDGE_DHCPD_NOT_HELD' });
  });
});

describe('the daemon', () => {
  test('is ready only with its link, and serves it when it is back', async (context) => {
    needs(context, root(), program('udhcpc'));
    ip(`link set ${BRIDGE} down`);
    await until('it is not ready', async () => (await rig.readyz()) === 503);
    ip(`link set ${BRIDGE} up`);
    await until('it is ready', async () => (await rig.readyz()) === 200);
    ip(`link set ${BRIDGE} down`, `link set ${BRIDGE} up`); // faster than anybody looks
    const got = await until('an address', async () => {
      const { stderr } = await rig.client(3).run('udhcpc', ...once);
      return /lease of \S+ obtained/.exec(stderr)?.[0];
    });
    expect(got).toContain('10.9.0.');
  });

  test('leaves no lease of its canary behind', async (context) => {
    needs(context, root());
    const { canary, messages } = await rig.status();
    expect(canary).toBe('passed');
    expect(messages.released).toBeGreaterThan(0);
    const own = (await rig.leases()).filter(({ mac }) => mac.startsWith('02:ca:'));
    expect(own.map(({ state }) => state)).toEqual(['free']);
  });

  test('drained, it takes no new client and ends in order', async (context) => {
    needs(context, root(), program('udhcpc'));
    expect(await rig.control('POST', '/drain')).toMatchObject({ state: /drain/ });
    await until('it is drained', async () => (await rig.status()).state === 'drained');
    expect(await rig.readyz()).toBe(503);
    const { stderr } = await rig.client(2).run('udhcpc', ...once);
    expect(stderr).toContain('no lease');
    await rig.control('POST', '/undrain');
    await until('it is ready', async () => (await rig.readyz()) === 200);
    expect(await rig.end('SIGTERM')).toBe(0);
  });
});
