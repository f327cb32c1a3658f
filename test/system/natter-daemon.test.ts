// The real daemon between a client and a VM: what outlives it, what it takes up again, what it
// refuses.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { NatterRig, PREFIX } from '../support/natter-rig.ts';
import { ip } from '../support/network-namespace.ts';
import { needs, program, root } from '../support/skip.ts';

const EIP = '198.51.100.7';
const rig = new NatterRig();
const eip = (id: string, value: object | null) => ({
  kind: 'eip',
  id,
  value: value === null ? null : JSON.stringify(value),
});
const routes = () => ip('route show proto 157').trim().split('\n').filter(Boolean);
const attached = () => /jited|direct-action/.test(tc('ingress')) && tc('egress') !== '';
const tc = (side: string) => rig.tc(`filter show dev up0 ${side}`);

const isRoot = root().met;
beforeAll(() => (isRoot ? rig.up() : undefined));
beforeEach((context) => needs(context, root(), program('redis-server'), program('ip')));
afterAll(() => rig.down());

describe('before it runs', () => {
  test('bad settings end it with 78 and say where', async () => {
    writeFileSync(rig.configPath, 'links: { uplink: [up0], inside: [up0] }\nwhat: 1\n');
    const { code, text } = await rig.run();
    expect(code).toBe(78);
    expect(text).toMatch(/natter\.yaml:2:1: error: unknown key "what"/);
    expect((await rig.run('--check-config')).code).toBe(78);
    expect((await rig.run('--wat')).code).toBe(2);
  });

  test('good settings pass the check in silence', async () => {
    rig.writeConfig();
    expect(await rig.run('--check-config')).toEqual({ code: 0, text: '' });
  });

  test('without the rights it ends with 77', async () => {
    rig.writeConfig();
    for (const path of [rig.directory, rig.configPath]) chmodSync(path, 0o777);
    const nobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'];
    const { code, text } = await rig.runAs([...nobody, process.execPath]);
    expect(text).toMatch(/EDGE_BPF_/);
    expect(code).toBe(77);
  });
});

describe('a table in the kernel', () => {
  test('an EIP is reached, and its prefix announced', async () => {
    await rig.start();
    await rig.apply([eip(EIP, { private: '10.0.0.5' })]);
    expect(rig.ping(EIP)).toBe(0);
    await until('the route', () => routes().includes(`unreachable ${PREFIX}`), { timeoutMs: 5000 });
    expect((await rig.status()).state).toBe('running');
  });

  test('explain runs the live program, in both directions', async () => {
    const tcp = { protocol: 6, sourcePort: 4242, destinationPort: 443 };
    const inward = { ...tcp, source: '192.0.2.2', destination: EIP };
    expect(await rig.control('POST', '/explain', inward)).toMatchObject({
      link: 'up0',
      program: 'natter_uplink',
      verdict: 'translated',
      reason: 'IN_REDIRECTED',
      steps: expect.arrayContaining(['eip 198.51.100.7 maps to 10.0.0.5']),
      translated: '192.0.2.2:4242 > 10.0.0.5:443/tcp',
    });
    const outward = { ...tcp, source: EIP, destination: '192.0.2.2' };
    expect(await rig.control('POST', '/explain', outward)).toMatchObject({
      link: 'in0',
      verdict: 'translated',
      translated: '198.51.100.7:4242 > 192.0.2.2:443/tcp',
    });
    const nobody = { ...inward, destination: '198.51.100.99' };
    expect(await rig.control('POST', '/explain', nobody)).toMatchObject({ verdict: 'passed' });
    await expect(rig.control('POST', '/explain', { source: 5 })).rejects.toThrow('no flow');
  });

  test('trace shows a packet as it came and as it left, and ends with its reader', async () => {
    const ended = new AbortController();
    const records: Record<string, unknown>[] = [];
    const reading = (async () => {
      for await (const chunk of rig.stream(`/trace?address=${EIP}`, ended.signal)) {
        const lines = Buffer.from(chunk).toString().trim().split('\n');
        records.push(...lines.map((line): Record<string, unknown> => JSON.parse(line)));
      }
    })();
    await until(
      'four records',
      () => {
        rig.ping(EIP, 1);
        return records.length >= 4;
      },
      { timeoutMs: 10_000 },
    );
    ended.abort();
    await reading;
    expect(records[0]).toMatchObject({ interface: 'up0', egress: false, after: false });
    expect(records[1]).toMatchObject({ interface: 'up0', after: true, reason: 'IN_REDIRECTED' });
    const ageMs = Date.now() - Number(BigInt(String(records[0]?.timeNs)) / 1_000_000n);
    expect(ageMs).toBeGreaterThanOrEqual(0);
    expect(ageMs).toBeLessThan(60_000);
    // The next one may start: the first is off.
    const again = new AbortController();
    let got: IteratorResult<Uint8Array> | undefined;
    const second = rig.stream('/trace', again.signal).next();
    void second.then((result) => {
      got = result;
    });
    const traced = () => rig.ping(EIP, 1) === 0 && got !== undefined;
    await until('a packet is in the second trace', traced, { timeoutMs: 10_000 });
    expect(got?.done).toBe(false);
    again.abort();
  });

  test('a state that contradicts itself is refused, and the old one stays', async () => {
    const { version } = await rig.store.apply('natter', [
      eip('198.51.100.8', { private: '10.0.0.5' }),
    ]);
    await until('drift', async () => (await rig.status()).drift.length > 0, { timeoutMs: 5000 });
    const status = await rig.status();
    expect(status.drift[0]).toContain('private 10.0.0.5 is mapped by eip 198.51.100.7 too');
    expect(status.table.version).toBeLessThan(version);
    expect(rig.ping(EIP)).toBe(0);
    await rig.apply([eip('198.51.100.8', null)]);
    expect((await rig.status()).drift).toEqual([]);
  });

  test('stopped and started: no packet is lost, meters go on, programs are replaced', async () => {
    const before = await rig.meter(EIP);
    const program = rig.programId('up0');
    const stopPing = rig.pingOn(EIP);
    expect(await rig.end('SIGTERM')).toBe(0);
    expect(routes()).toEqual([`unreachable ${PREFIX}`]);
    await rig.start();
    const { sent, lost } = await stopPing();
    expect(lost).toBe(0);
    const after = await rig.meter(EIP);
    expect(after.inPackets).toBeGreaterThanOrEqual(before.inPackets + sent);
    expect(rig.programId('up0')).not.toBe(program);
  });

  test.each([4096, 512])('started with room for %i EIPs: no packet is lost', async (eips) => {
    const capacity = { eips, forwards: eips / 4, limits: 256 };
    const before = await rig.meter(EIP);
    const stopPing = rig.pingOn(EIP);
    await rig.end(eips > 1024 ? 'SIGTERM' : 'SIGKILL');
    rig.config.capacity = capacity;
    await rig.start();
    const { sent, lost } = await stopPing();
    expect(lost).toBe(0);
    const metered = async () => {
      const after = await rig.meter(EIP);
      return [after.inPackets - before.inPackets, after.outPackets - before.outPackets];
    };
    await expect.poll(metered, { timeout: 5000 }).toEqual([sent, sent]);
    const shown = execFileSync('bpftool', [
      'map',
      'show',
      'pinned',
      `${rig.pins}/meters`,
    ]).toString();
    expect(shown).toContain(`max_entries ${eips}`);
    expect(readdirSync(dirname(rig.pins))).toEqual(['natter']);
    expect(rig.logText()).toMatch(/"maps-replaced".*\n(.*\n)*.*"maps-let-go"/);
  });

  test('with room for fewer EIPs than there are it changes nothing', async () => {
    const many = Array.from({ length: 20 }, (_, index) => eip(`198.51.100.${index + 100}`, {}));
    await rig.apply(many);
    const stopPing = rig.pingOn(EIP);
    const { capacity } = rig.config;
    await rig.end('SIGTERM');
    rig.config.capacity = { eips: 16, forwards: 16, limits: 16 };
    await rig.launch();
    await until('the refusal', async () => (await rig.status()).drift.length > 0, {
      timeoutMs: 10_000,
    });
    expect((await rig.status()).drift[0]).toContain('room for 16 eips (capacity.eips)');
    expect(readdirSync(dirname(rig.pins)).toSorted()).toEqual(['natter', 'natter-before']);
    await rig.end('SIGTERM');
    rig.config.capacity = capacity;
    await rig.start();
    expect((await stopPing()).lost).toBe(0);
    expect(readdirSync(dirname(rig.pins))).toEqual(['natter']);
    await rig.apply(many.map(({ id }) => eip(id, null)));
  });

  test('killed: it forwards on, and takes up what was changed meanwhile', async () => {
    await rig.end('SIGKILL');
    expect(rig.ping(EIP)).toBe(0);
    await rig.store.apply('natter', [eip('198.51.100.9', { private: '10.0.0.6' })]);
    await rig.start();
    expect(rig.ping('198.51.100.9')).toBe(0);
    expect(rig.ping(EIP)).toBe(0);
  });

  test('without Redis it starts from the last good snapshot', async () => {
    await rig.redis.kill();
    await rig.end('SIGKILL');
    await rig.start();
    expect((await rig.status()).store).toMatchObject({ up: false, source: 'disk' });
    expect(rig.ping(EIP)).toBe(0);
    await rig.redis.start();
    await until('the store to be up again', async () => (await rig.status()).store.up, {
      timeoutMs: 15_000,
    });
  });
});

describe('the host around it', () => {
  test('SIGHUP takes new settings, and keeps the old ones when they are wrong', async () => {
    rig.config.announce = { prefixes: [PREFIX, '203.0.113.0/24'] };
    rig.writeConfig();
    rig.daemon?.kill('SIGHUP');
    await until('the second route', () => routes().length === 2, { timeoutMs: 5000 });
    writeFileSync(rig.configPath, 'links: 5\n');
    rig.daemon?.kill('SIGHUP');
    await until('the refusal', () => rig.logText().includes('"reload-refused"'), {
      timeoutMs: 5000,
    });
    expect(rig.ping(EIP)).toBe(0);
    rig.config.announce = { prefixes: [PREFIX] };
    rig.writeConfig();
    rig.daemon?.kill('SIGHUP');
    await until('one route', () => routes().length === 1, { timeoutMs: 5000 });
  });

  test('a link that goes makes it withdraw; one that comes back is attached', async () => {
    ip('link del up0');
    await until('the withdrawal', () => routes().length === 0, { timeoutMs: 10_000 });
    expect(await rig.readyz()).toBe(503);
    rig.makeUplink();
    await until('readiness', async () => (await rig.readyz()) === 200, { timeoutMs: 10_000 });
    expect(rig.ping(EIP)).toBe(0);
  });

  test('a filter that somebody removes is put back', async () => {
    rig.tc('qdisc del dev up0 clsact');
    expect(attached()).toBe(false);
    await until('the filters', attached, { timeoutMs: 10_000 });
    expect(rig.ping(EIP)).toBe(0);
  });

  test('drained by its node object: withdrawn first, then drained, and back', async () => {
    const node = (value: string | null) => ({ kind: 'node', id: 'rig', value });
    await rig.apply([node('{"drain":true}')]);
    await until('the drain', async () => (await rig.status()).state === 'drained', {
      timeoutMs: 10_000,
    });
    expect(routes()).toEqual([]);
    expect(await rig.readyz()).toBe(503);
    await rig.apply([node(null)]);
    await until('the route', () => routes().length === 1, { timeoutMs: 5000 });
  });

  test('--detach leaves nothing behind, and is refused while it runs', async () => {
    expect(await rig.run('--detach')).toMatchObject({ code: 1 });
    await rig.end('SIGTERM');
    expect(await rig.run('--detach')).toEqual({ code: 0, text: '' });
    expect(routes()).toEqual([]);
    expect(tc('ingress') + tc('egress')).toBe('');
    expect(existsSync(dirname(rig.pins))).toBe(false);
  });
});
