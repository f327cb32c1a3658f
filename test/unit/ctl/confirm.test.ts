// A store that lost what instances hold: nothing is called in force, and confirm mends it.
import { beforeEach, describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';

let site: Harness;
const at = (...argv: string[]) => site.run(...argv, '--store', 'memory:');
const head = () => site.server.connect().head('natter');
const HELD = { applied: { natter: 500 } };

beforeEach(() => {
  site = new Harness();
});

describe('an instance ahead of the store', () => {
  it('has nothing in force of what is stored now', async () => {
    await site.natter('a', HELD);
    const added = await at('eip', 'add', '198.51.100.7', '10.0.0.5', '--wait', '1s');
    expect(added.code).toBe(1);
    expect(added.err).toContain('a is at version 500 of 1');
    expect(added.err).toContain('ahead of the store, which went back to version 1');
    const status = await at('status');
    expect(status.code).toBe(1);
    expect(status.out).toContain('a: ahead of the store');
  });
});

describe('confirm', () => {
  it('has nothing to do where nobody is ahead', async () => {
    await site.natter('a');
    expect(await at('confirm')).toMatchObject({
      code: 0,
      out:
        'nothing to confirm: no instance is ahead of the store\n' +
        'version 0: in force on 1 instance\n',
    });
    expect((await head()).version).toBe(0);
  });

  it('asks first, and says what stands against what', async () => {
    await site.natter('a', HELD);
    await site.natter('b', { applied: { natter: 499 } });
    const refused = await at('confirm');
    expect(refused.code).toBe(1);
    expect(refused.err).toBe(
      'edgectl: the store stands at version 0 with 0 objects, instances at version 500: a, b ' +
        '(if the store is meant as it is, repeat it with --yes)\n',
    );
    site.tty = true;
    site.answer = false;
    expect((await at('confirm')).code).toBe(1);
    expect(site.questions).toHaveLength(1);
    expect((await head()).version).toBe(0);
  });

  it('raises the version over all that is held, and waits for all', async () => {
    await site.natter('a', HELD);
    site.followed('a');
    const { code, out } = await at('confirm', '--yes');
    expect(code).toBe(0);
    expect(out).toBe(
      '0 objects confirmed: version 0 is now 501\nversion 501: in force on 1 instance\n',
    );
    expect((await head()).version).toBe(501);
  });

  it('--local asks the daemon of this host, and waits until it has taken it', async () => {
    const versions = [12, 12, 3];
    site.control = {
      post: async () => ({}),
      get: async () => ({
        table: { version: versions.shift(), desiredVersion: 3 },
        drift: versions.length > 0 ? ['the store went back'] : [],
      }),
    };
    const { code, out } = await site.run('confirm', '--local');
    expect({ code, out }).toEqual({ code: 0, out: 'version 3: in force on this host\n' });
    expect(site.asked[0]).toEqual({ path: '/confirm', body: {} });
  });

  it.each<[string, (version: number) => object, string]>([
    ['dhcpd', (version) => ({ plan: { version, desiredVersion: 3 } }), 'version 3'],
    [
      'lb, whose units are all waited for',
      (version) => ({
        units: {
          lb: { version: 2, desiredVersion: 2 },
          pools: { version, desiredVersion: 3 },
        },
      }),
      'version 2',
    ],
  ])('--local asks %s at its socket', async (_, status, expected) => {
    const versions = [12, 12, 3];
    site.control = {
      post: async () => ({}),
      get: async () => ({ ...status(versions.shift() ?? 3), drift: [] }),
    };
    const { code, out } = await site.run('confirm', '--local', '--socket', '/run/edge/lb.sock');
    expect({ code, out }).toEqual({ code: 0, out: `${expected}: in force on this host\n` });
    expect(versions).toEqual([]);
    expect(site.sockets).toEqual(['/run/edge/lb.sock']);
  });

  it('--local that is not taken ends with 1 and why', async () => {
    site.control = {
      post: async () => ({}),
      get: async () => ({ table: { version: 12, desiredVersion: 3 }, drift: ['eip x is bad'] }),
    };
    const { code, err } = await site.run('confirm', '--local', '--wait', '1s');
    expect(code).toBe(1);
    expect(err).toContain('this host is at version 12 of 3: eip x is bad');
    expect((await at('confirm', '--socket', '/x')).code).toBe(2);
  });
});
