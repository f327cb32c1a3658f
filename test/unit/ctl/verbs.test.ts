// The imperative verbs, as an operator types them, on the memory store.
import { beforeEach, describe, expect, it } from 'vitest';
import { type Harness, siteWithNatter } from './harness.ts';

let site: Harness;

beforeEach(async () => {
  site = await siteWithNatter();
});

/** Runs a line that must succeed; gives stdout. */
async function edgectl(line: string): Promise<string> {
  const { code, out, err } = await site.run(...line.split(' '));
  expect(`${code} ${err}`, line).toBe('0 ');
  return out;
}

async function refused(line: string): Promise<{ code: number; err: string }> {
  const { code, out, err } = await site.run(...line.split(' '));
  expect(out, line).toBe('');
  return { code, err };
}

describe('eip', () => {
  it('adds, lists and deletes', async () => {
    expect(await edgectl('eip add 198.51.100.10 10.0.0.6')).toBe(
      'eip 198.51.100.10 added\nversion 1: in force on 1 instance\n',
    );
    await edgectl('eip add 198.51.100.9 10.0.0.5 --in 100mbit --out 50mbit --burst 256kb');
    expect(await edgectl('eip list')).toBe(
      [
        'ADDRESS        PRIVATE        IN     OUT  BURST  GROUP  FORWARDS',
        '198.51.100.9   10.0.0.5  100mbit  50mbit  256kb  -             -',
        '198.51.100.10  10.0.0.6        -       -      -  -             -',
        '',
      ].join('\n'),
    );
    expect(JSON.parse(await edgectl('eip list --json'))[0]).toEqual({
      address: '198.51.100.9',
      private: '10.0.0.5',
      inBitsPerSecond: 100_000_000,
      outBitsPerSecond: 50_000_000,
      burstBytes: 262_144,
      group: null,
      source: null,
      forwards: 0,
    });
    expect(await edgectl('eip del 198.51.100.10')).toContain('eip 198.51.100.10 deleted\n');
    expect(await edgectl('eip del 198.51.100.10')).toContain('eip 198.51.100.10 was not there\n');
  });

  it('takes the same add twice, and another one only with --replace', async () => {
    await edgectl('eip add 198.51.100.7 10.0.0.5');
    expect(await edgectl('eip add 198.51.100.7 10.0.0.5')).toBe(
      'eip 198.51.100.7 unchanged\nversion 1: in force on 1 instance\n',
    );
    expect(await refused('eip add 198.51.100.7 10.0.0.6')).toEqual({
      code: 1,
      err:
        'edgectl: it is there and differs: eip 198.51.100.7 private 10.0.0.5 -> 10.0.0.6 ' +
        '(to overwrite it, repeat with --replace)\n',
    });
    expect(await edgectl('eip add 198.51.100.7 10.0.0.6 --replace')).toContain(
      'eip 198.51.100.7 private 10.0.0.5 -> 10.0.0.6 changed\n',
    );
  });

  it('says who has the private address', async () => {
    await edgectl('eip add 198.51.100.7 10.0.0.5');
    const { code, err } = await refused('eip add 198.51.100.8 10.0.0.5');
    expect(code).toBe(1);
    expect(err).toContain('10.0.0.5');
    expect(err).toContain('198.51.100.7');
    expect(await edgectl('eip list')).not.toContain('198.51.100.8');
  });

  it.each([
    ['eip add 198.51.100.777', 'ADDRESS "198.51.100.777" is not the address of a host'],
    ['eip add 198.51.100.7 10.0.0', 'PRIVATE "10.0.0" is not the address of a host'],
    ['eip add 198.51.100.7 10.0.0.5 --in fast', '--in is like 100mbit or 1.5gbit, not "fast"'],
    ['eip add 198.51.100.7 10.0.0.5 --in 1bit', 'in is 1'],
    ['eip add 198.51.100.7 198.51.100.7', 'private is the EIP itself'],
    ['eip add 198.51.100.7 --wait 5', '--wait is a time such as 10s'],
    ['eip add 198.51.100.7 --wait 5s --no-wait', 'exclude each other'],
  ])('refuses %s with exit 2', async (line, text) => {
    const { code, err } = await refused(line);
    expect(code).toBe(2);
    expect(err).toContain(text);
  });

  it('deletes port forwards only when told to', async () => {
    await edgectl('eip add 198.51.100.8');
    await edgectl('eip add 198.51.100.9');
    await edgectl('forward add 198.51.100.8:443/tcp 10.0.0.6:8443');
    const { code, err } = await refused('eip del 198.51.100.8');
    expect(code).toBe(1);
    expect(err).toContain('eip 198.51.100.8 has 1 port forward: 198.51.100.8:443/tcp');
    expect(await edgectl('eip del 198.51.100.8 --forwards')).toContain(
      'forward 198.51.100.8:443/tcp deleted\neip 198.51.100.8 deleted\n',
    );
  });
});

describe('forward', () => {
  it('adds, lists and deletes', async () => {
    await edgectl('eip add 198.51.100.8');
    await edgectl('forward add 198.51.100.8:443/tcp 10.0.0.6:8443');
    await edgectl('forward add 198.51.100.8:8000-8099/udp 10.0.0.7:9000');
    expect(await edgectl('forward list')).toBe(
      [
        'FROM                        TO',
        '198.51.100.8:443/tcp        10.0.0.6:8443',
        '198.51.100.8:8000-8099/udp  10.0.0.7:9000-9099',
        '',
      ].join('\n'),
    );
    expect(await edgectl('forward del 198.51.100.8:443/tcp')).toContain(
      'forward 198.51.100.8:443/tcp deleted\n',
    );
  });

  it('needs its EIP', async () => {
    const { code, err } = await refused('forward add 198.51.100.8:443/tcp 10.0.0.6:8443');
    expect(code).toBe(1);
    expect(err).toContain('198.51.100.8');
  });

  it.each([
    'forward add 198.51.100.8:443 10.0.0.6:8443',
    'forward add 198.51.100.8:443/tcp 10.0.0.6',
    'forward add 198.51.100.8:8000-9000/tcp 10.0.0.6:65000',
    'forward del 198.51.100.8:443',
  ])('refuses %s with exit 2', async (line) => {
    expect((await refused(line)).code).toBe(2);
  });
});

describe('limit', () => {
  beforeEach(async () => {
    await edgectl('eip add 198.51.100.7 10.0.0.5 --in 100mbit');
    await edgectl('eip add 198.51.100.8 10.0.0.6');
  });

  it('sets what is named and leaves the rest', async () => {
    expect(await edgectl('limit set 198.51.100.7 --out 50mbit')).toContain(
      'eip 198.51.100.7 out - -> 50mbit changed\n',
    );
    expect(await edgectl('limit set 198.51.100.7 --in none')).toContain('in 100mbit -> -');
    expect(await edgectl('limit clear 198.51.100.7')).toContain('out 50mbit -> -');
    expect(await edgectl('limit clear 198.51.100.7')).toContain('eip 198.51.100.7 unchanged');
  });

  it('shares one limit in a group', async () => {
    await edgectl('limit group add gold --in 1gbit --out 1gbit --burst 1mb');
    await edgectl('limit join gold 198.51.100.7 198.51.100.8');
    expect(await edgectl('limit list')).toBe(
      [
        'GROUP     IN    OUT  BURST  EIPS',
        'gold   1gbit  1gbit    1mb     2',
        '',
        'ADDRESS            IN  OUT  BURST  GROUP',
        '198.51.100.7  100mbit    -      -  gold',
        '198.51.100.8        -    -      -  gold',
        '',
      ].join('\n'),
    );
    const { code, err } = await refused('limit group del gold');
    expect(code).toBe(1);
    expect(err).toContain('2 EIPs in group gold: 198.51.100.7, 198.51.100.8');
    await edgectl('limit leave 198.51.100.7 198.51.100.8');
    expect(await edgectl('limit group del gold')).toContain('group gold deleted\n');
  });

  it.each([
    ['limit set 198.51.100.7', 2, 'nothing to set'],
    ['limit set 198.51.100.99 --in 1mbit', 1, 'there is no eip 198.51.100.99'],
    ['limit join silver 198.51.100.7', 1, 'there is no group silver'],
    ['limit group add go/ld --in 1mbit', 2, 'NAME "go/ld" is not'],
    ['limit group add gold', 2, 'a group without a limit'],
  ])('refuses %s', async (line, expected, text) => {
    const { code, err } = await refused(line);
    expect(code).toBe(expected);
    expect(err).toContain(text);
  });
});

describe('delete', () => {
  it('deletes one by name, and asks before most of a kind goes', async () => {
    for (const last of [1, 2, 3, 4]) await edgectl(`eip add 198.51.100.${last}`);
    await edgectl('delete eip 198.51.100.4');
    const { code, err } = await refused('delete eip 198.51.100.1 198.51.100.2');
    expect(code).toBe(1);
    expect(err).toBe(
      'edgectl: this would delete 2 of 3 eips (if that is meant, repeat it with --yes)\n',
    );
    site.tty = true;
    site.answer = false;
    expect((await site.run('delete', 'eip', '198.51.100.1', '198.51.100.2')).code).toBe(1);
    site.answer = true;
    expect((await site.run('delete', 'eip', '198.51.100.1', '198.51.100.2')).code).toBe(0);
    expect(site.questions).toEqual(['Delete 2 of 3 eips?', 'Delete 2 of 3 eips?']);
    site.tty = false;
    expect(await edgectl('delete eips 198.51.100.3')).toContain('eip 198.51.100.3 deleted');
  });

  it.each([
    ['delete', 'give KIND and ID, or -f FILE'],
    ['delete eip', 'which eip?'],
    [
      'delete eipp 198.51.100.1',
      'KIND is one of eip, forward, group, subnet, reservation, class, l3net, zone, record, line, vserver, listener, route, certificate, pool, override, node, not "eipp"',
    ],
    ['delete eip 198.51.100', 'no eip can have the id "198.51.100"'],
    ['delete record www.example.com', 'can have the id "www.example.com": write NAME/TYPE'],
  ])('refuses %s with exit 2', async (line, text) => {
    const { code, err } = await refused(line);
    expect(code).toBe(2);
    expect(err).toContain(text);
  });

  it('removes what nothing can read', async () => {
    const store = site.server.connect();
    await store.apply('natter', [{ kind: 'eip', id: 'nonsense', value: '{' }]);
    const listed = await site.run('eip', 'list');
    expect(listed.code).toBe(1);
    expect(listed.err).toContain('unreadable: eip nonsense');
    const added = await refused('eip add 198.51.100.7');
    expect(added.code).toBe(1);
    expect(added.err).toContain('nonsense');
    await edgectl('delete eip nonsense');
    await edgectl('eip add 198.51.100.7');
  });
});

describe('a site that is wrong already', () => {
  beforeEach(async () => {
    const store = site.server.connect();
    const to = '{"to":"10.0.0.6:80"}';
    await store.apply('natter', [
      { kind: 'forward', id: '198.51.100.8:80/tcp', value: to },
      { kind: 'forward', id: '198.51.100.9:81/tcp', value: '{"to":"10.0.0.6:81"}' },
    ]);
  });

  it('may be mended step by step', async () => {
    await edgectl('forward del 198.51.100.8:80/tcp');
    await edgectl('eip add 198.51.100.9');
  });

  it('takes no other change, and says why', async () => {
    const { code, err } = await refused('eip add 198.51.100.7');
    expect(code).toBe(1);
    expect(err).toBe(
      [
        'edgectl: stored forward 198.51.100.8:80/tcp: there is no EIP 198.51.100.8',
        'edgectl: stored forward 198.51.100.9:81/tcp: there is no EIP 198.51.100.9 ' +
          '(the stored site is wrong already: correct that first)',
        '',
      ].join('\n'),
    );
  });
});

describe('what a newer edgectl wrote', () => {
  const write = (kind: string, id: string, value: string) =>
    site.server.connect().apply('natter', [{ kind, id, value }]);

  it('of a kind that is not known stands in the way of nothing', async () => {
    await write('balancer', 'x', '{"v":2}');
    expect((await site.run('eip', 'add', '198.51.100.7', '10.0.0.5')).code).toBe(0);
    const { code, err } = await site.run('eip', 'list');
    expect(code).toBe(0);
    expect(err).toBe('edgectl: not shown, as a newer edgectl wrote them: 1\n');
    await write('balancer', 'y', '{}');
    expect((await site.run('eip', 'list')).code).toBe(1);
  });

  it('with fields that are not known is shown and deleted, but not changed', async () => {
    await write('eip', '198.51.100.7', '{"colour":"red","private":"10.0.0.5","v":2}');
    expect((await site.run('eip', 'list')).out).toContain('10.0.0.5');
    const changed = await site.run('limit', 'set', '198.51.100.7', '--in', '1mbit');
    expect(changed.code).toBe(1);
    expect(changed.err).toContain('eip 198.51.100.7 was written by a newer edgectl');
    expect((await site.run('eip', 'del', '198.51.100.7')).code).toBe(0);
  });
});

it('what OpenStack keeps stays so when the site is got and applied again', async () => {
  const value = '{"private":"10.0.0.5","source":"nova"}';
  await site.server.connect().apply('natter', [{ kind: 'eip', id: '198.51.100.7', value }]);
  for (const form of ['yaml', 'json']) {
    site.stdin = (await site.run('get', '-o', form)).out;
    expect((await site.run('apply', '--prune', '-f', '-')).out).toMatch(/^1 unchanged\n/);
  }
  await site.run('limit', 'set', '198.51.100.7', '--in', '1mbit');
  const stored = await site.server.connect().get('natter', 'eip', '198.51.100.7');
  expect(JSON.parse(stored ?? '')).toMatchObject({ in: 1_000_000, source: 'nova' });
});
