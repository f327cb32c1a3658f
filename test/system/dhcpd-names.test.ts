// The name that a real client says is in dns's keys while it has its lease.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { nameKeys } from '../../shared/store/keys.ts';
import { DhcpdRig } from '../support/dhcpd-rig.ts';
import { needs, program, root } from '../support/skip.ts';

const ZONE = 'vm.example';
const scratch = mkdtempSync(join(tmpdir(), 'edge-names-'));
const script = join(scratch, 'udhcpc.sh');
const SCRIPT = `#!/bin/sh
case $1 in
deconfig) ip address flush dev "$interface" ;;
bound | renew) ip address replace "$ip/$mask" dev "$interface" ;;
esac
`;
const udhcpc = ['-i', 'e0', '-f', '-s', script];
const rig = new DhcpdRig();

beforeAll(async () => {
  writeFileSync(script, SCRIPT, { mode: 0o755 });
  if (!root().met) return;
  await rig.up(3);
  await rig.setSubnet({ ddns: { zone: ZONE } });
  await rig.start();
});

afterAll(async () => {
  await rig.down();
  rmSync(scratch, { recursive: true });
});

type Page = { names: { name: string; address: string }[] };

async function names(): Promise<Record<string, string>> {
  const page = (await rig.control('GET', `/names?zone=${ZONE}`)) as Page; // the daemon's own
  return Object.fromEntries(page.names.map(({ name, address }) => [name, address]));
}

async function addressOf(at: number): Promise<string | undefined> {
  const [lease] = await rig.leases(`?mac=${await rig.client(at).mac()}&state=bound`);
  return lease?.address;
}

describe('a client of a subnet with a zone', () => {
  test.for([
    { what: 'option 12', at: 0, args: ['-x', 'hostname:Foo'], name: 'foo' },
    { what: 'option 81', at: 1, args: ['-F', 'bar.corp.example'], name: 'bar' },
  ])('$what: a name while it has its lease', async ({ at, args, name }, context) => {
    needs(context, root(), program('udhcpc'));
    const running = rig.client(at).spawn('udhcpc', ...udhcpc, ...args);
    try {
      const address = await until('the name', async () => (await names())[name]);
      expect(await addressOf(at)).toBe(address);
      const back = await rig.redis.ask(`HGET ${nameKeys('dhcpd', ZONE).addresses} ${address}`);
      expect(back).toContain(`\r\n${name}\r\n`);
      running.kill('SIGUSR2'); // release
      await until('it is gone', async () => (await names())[name] === undefined);
      expect(await addressOf(at)).toBeUndefined();
    } finally {
      running.kill('SIGKILL');
    }
  });

  test('the name of another one is not taken over; wpad is nobody’s', async (context) => {
    needs(context, root(), program('udhcpc'));
    const once = [...udhcpc, '-n', '-q'];
    await rig.client(0).run('udhcpc', ...once, '-x', 'hostname:web');
    const address = await until('the name', async () => (await names()).web);
    await rig.client(1).run('udhcpc', ...once, '-x', 'hostname:web');
    await until('it was told', () => rig.logText().includes('"name-taken"'));
    await rig.client(2).run('udhcpc', ...once, '-x', 'hostname:wpad');
    await until('it was told', () => rig.logText().includes('"name-refused"'));
    expect(await names()).toEqual({ web: address });
    expect(await rig.control('GET', '/names')).toEqual({ zones: [ZONE] });
    const metrics = await (await fetch('http://127.0.0.1:9102/metrics')).text();
    expect(metrics).toContain('edge_dhcpd_names_total{result="taken"} 1');
    // An operator takes it away: the name goes with it.
    await rig.control('POST', '/lease/release', { address });
    await until('it is gone', async () => (await names()).web === undefined);
  });

  test('an unknown zone is told', async (context) => {
    needs(context, root());
    const asked = rig.control('GET', '/names?zone=other.example');
    await expect(asked).rejects.toMatchObject({ code: 'EDGE_DHCPD_QUESTION' });
  });
});
