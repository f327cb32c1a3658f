// What waits for instances or shows them: exit 0 only when the effect is there.
import { beforeEach, describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';

let site: Harness;

beforeEach(() => {
  site = new Harness();
});

const ADD = ['eip', 'add', '198.51.100.7', '10.0.0.5', '--store', 'memory:'];
const at = (...argv: string[]) => site.run(...argv, '--store', 'memory:');

describe('a change is waited for', () => {
  it('on every live instance', async () => {
    await site.natter('a');
    await site.natter('b');
    let looks = 0;
    site.clock.onSleep = async () => {
      await site.natter(looks++ < 3 ? 'a' : 'b');
    };
    const { code, out, err } = await site.run(...ADD);
    expect({ code, out, err }).toEqual({
      code: 0,
      out: 'eip 198.51.100.7 added\nversion 1: in force on 2 instances\n',
      err: '',
    });
    expect(looks).toBeGreaterThan(3);
  });

  it('and one that lags is named with its reason, exit 1', async () => {
    await site.natter('a');
    await site.natter('b', { drift: 'refused version 1: eip 198.51.100.7 is a local address' });
    site.clock.onSleep = async () => {
      await site.natter('a');
      await site.natter('b', { applied: { natter: 0 }, drift: 'eip is a local address' });
    };
    const { code, out, err } = await site.run(...ADD, '--wait', '2s');
    expect(code).toBe(1);
    expect(out).toBe('eip 198.51.100.7 added\n');
    expect(err).toContain('stored as version 1, but not in force on 1 of 2 live instances:\n');
    expect(err).toContain('b is at version 0 of 1 (running, heard');
    expect(err).toContain('eip is a local address');
    expect(site.clock.monotonicMs()).toBeLessThan(2500);
  });

  it('and one that fell silent is not waited for, but named', async () => {
    await site.natter('a');
    await site.natter('dead');
    await site.clock.advance(60_000);
    await site.natter('a');
    site.followed('a');
    const { code, err } = await site.run(...ADD);
    expect(code).toBe(0);
    expect(err).toBe('edgectl: dead has been silent for 60s and was not waited for\n');
  });

  it('and with none alive exit 3 says that it is only stored', async () => {
    const { code, err } = await site.run(...ADD);
    expect(code).toBe(3);
    expect(err).toBe('edgectl: stored as version 1, but no live natter is there to apply it\n');
    const again = await site.run(...ADD);
    expect(again.code).toBe(3);
    expect(again.out).toBe('eip 198.51.100.7 unchanged\n');
  });

  it('but not with --no-wait', async () => {
    const { code, out, err } = await site.run(...ADD, '--no-wait');
    expect({ code, out, err }).toEqual({
      code: 0,
      out: 'eip 198.51.100.7 added\nversion 1: stored\n',
      err: '',
    });
  });

  it('and --json has it all', async () => {
    await site.natter('a');
    site.followed('a');
    const { out } = await site.run(...ADD, '--json');
    expect(JSON.parse(out)).toMatchObject({
      version: 1,
      added: 1,
      changed: 0,
      deleted: 0,
      unchanged: 0,
      inForce: true,
      live: [{ node: 'a', applied: 1 }],
      lagging: [],
      silent: [],
    });
  });

  it('and Ctrl-C ends the wait with 130', async () => {
    await site.natter('a');
    site.clock.onSleep = () => site.interrupt.abort();
    const { code, err } = await site.run(...ADD);
    expect(code).toBe(130);
    expect(err).toMatch(/stored as version 1, but .*\nedgectl: interrupted\n$/);
  });
});

describe('two operators at once', () => {
  it('both changes are stored', async () => {
    await site.natter('a');
    site.followed('a');
    const other = site.server.connect();
    let raced = 0;
    const scan = site.server.connect.bind(site.server);
    // Another operator is quicker, twice, between our reading and our writing.
    site.server.connect = (options) => {
      const store = scan(options);
      const apply = store.apply.bind(store);
      store.apply = async (unit, changes, applyOptions) => {
        if (raced++ < 2) {
          const id = `203.0.113.${raced}`;
          await other.apply(unit, [{ kind: 'eip', id, value: '{}' }]);
        }
        return apply(unit, changes, applyOptions);
      };
      return store;
    };
    expect((await site.run(...ADD)).code).toBe(0);
    const { out } = await at('eip', 'list', '--json');
    const addresses = JSON.parse(out).map((row: { address: string }) => row.address);
    expect(addresses).toEqual(['198.51.100.7', '203.0.113.1', '203.0.113.2']);
  });
});

describe('status and nodes', () => {
  it('say that nothing runs with exit 3', async () => {
    expect(await at('status')).toMatchObject({ code: 3, err: expect.stringContaining('nothing') });
    expect(await at('nodes')).toMatchObject({ code: 3, err: expect.stringContaining('nothing') });
  });

  it('show drift and silence', async () => {
    await site.natter('old');
    await site.clock.advance(3_600_000);
    const store = site.server.connect();
    await store.apply('natter', [{ kind: 'eip', id: '198.51.100.7', value: '{}' }]);
    await site.natter('good');
    await site.natter('stuck', { applied: { natter: 0 }, drift: 'not a host address' });
    const status = await at('status');
    expect(status.code).toBe(1);
    expect(status.out).toBe(
      [
        'SERVICE  LIVE  SILENT  STATES     VERSIONS  OBJECTS  DESIRED  DRIFTING',
        'natter      2       1  2 running  0.1.0           1        1         1',
        'stuck: not a host address',
        '',
      ].join('\n'),
    );
    const nodes = await at('nodes');
    expect(nodes.code).toBe(0);
    expect(nodes.out).toBe(
      [
        'NODE   SERVICE  STATE    VERSION  APPLIED  DRIFT                AGE',
        'good   natter   running  0.1.0        1/1  -                   0.0s',
        'old    natter   silent   0.1.0        0/1  1 version behind     60m',
        'stuck  natter   running  0.1.0        0/1  not a host address  0.0s',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await at('nodes', '--json')).out)[1]).toMatchObject({
      node: 'old',
      live: false,
      applied: 0,
      desired: 1,
    });
  });
});

describe('drain', () => {
  it('waits until the node says so; undrain takes the wish away', async () => {
    await site.natter('a');
    const states = ['running', 'draining', 'drained'];
    site.clock.onSleep = () => site.natter('a', { state: states.shift() ?? 'drained' });
    expect(await at('drain', 'a')).toEqual({ code: 0, out: 'node a drained\n', err: '' });
    const store = site.server.connect();
    expect(await store.get('natter', 'node', 'a')).toBe('{"drain":true}');
    site.clock.onSleep = () => site.natter('a', { state: 'running' });
    expect(await at('undrain', 'a')).toEqual({ code: 0, out: 'node a serving\n', err: '' });
    expect(await store.get('natter', 'node', 'a')).toBeUndefined();
  });

  it('gives up in time and says where the node stands', async () => {
    await site.natter('a');
    site.clock.onSleep = () => site.natter('a', { state: 'draining' });
    const { code, err } = await at('drain', 'a', '--timeout', '2s');
    expect(code).toBe(1);
    expect(err).toContain('a is not drained yet: draining, version 1');
  });

  it('knows the nodes', async () => {
    await site.natter('natter-1');
    const { code, err } = await at('drain', 'nater-1');
    expect(code).toBe(3);
    expect(err).toContain('no natter node "nater-1" (did you mean "natter-1"?)');
    expect((await at('drain', 'natter-9', '--no-wait')).code).toBe(0);
  });
});

it('a store that cannot be reached is a failure, and none known is exit 3', async () => {
  const connect = site.server.connect.bind(site.server);
  site.server.connect = (options) => {
    const store = connect(options);
    store.mode = 'failing';
    return store;
  };
  const { code, err } = await at('eip', 'list');
  expect(code).toBe(1);
  expect(err).toBe('edgectl: the store cannot be reached\n');
  const nowhere = await site.run('eip', 'list');
  expect(nowhere.code).toBe(3);
  expect(nowhere.err).toContain('no store is known (give --store URL');
});
