// `zone version`: what each dns says on its admin port, and whether they agree.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { OperationalError } from '../../../shared/errors.ts';
import type { Member } from '../../../shared/store/types.ts';
import { Harness } from './harness.ts';

let site: Harness;
const at = (...argv: string[]) => site.run('zone', 'version', ...argv, '--store', 'memory:');

const member = (node: string, more: Partial<Member> = {}) =>
  site.natter(node, {
    service: 'dns',
    applied: { dns: 12, pools: 3 },
    address: `${node}.example:9153`,
    ...more,
  });

const zone = (name: string, serial: number, digest?: string) => ({
  ...{ zone: name, source: 'objects', serial, records: 7 },
  ...(digest === undefined ? {} : { digest }),
});

function serving(pages: Record<string, object[]>): void {
  site.admin = async (address) => ({ zones: pages[address.split('.')[0] ?? ''] ?? [] });
}

beforeEach(async () => {
  site = new Harness();
  await member('dns-1');
  await member('dns-2', { applied: { dns: 11, pools: 3 } });
});

describe('zone version', () => {
  it('has a row for each zone and dns', async () => {
    const digest = 'abcdef0123456789abcdef0123456789abcdef01';
    serving({
      'dns-1': [zone('example.com', 9, digest)],
      'dns-2': [zone('example.com', 9, digest)],
    });
    const { code, out, err } = await at('Example.com.');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(
      [
        'ZONE         NODE   DNS  POOLS  FROM     SERIAL  RECORDS  DIGEST',
        'example.com  dns-1   12      3  objects       9        7  abcdef012345',
        'example.com  dns-2   11      3  objects       9        7  abcdef012345',
        '',
      ].join('\n'),
    );
    expect(site.asked.map(({ path }) => path)).toEqual([
      'dns-1.example:9153/zones?zone=example.com',
      'dns-2.example:9153/zones?zone=example.com',
    ]);
    expect(JSON.parse((await at('example.com', '--json')).out)[1]).toEqual({
      ...{ zone: 'example.com', node: 'dns-2', applied: { dns: 11, pools: 3 } },
      ...{ source: 'objects', serial: 9, records: 7, digest },
    });
  });

  it('asks for no digest of all zones', async () => {
    serving({ 'dns-1': [zone('b.example', 9), zone('a.example', 4)], 'dns-2': [] });
    const { code, out, err } = await at();
    expect(code).toBe(1);
    expect(site.asked[0]?.path).toBe('dns-1.example:9153/zones');
    expect(out.split('\n').map((line) => line.split(/ +/).slice(0, 2).join(' '))).toEqual([
      ...['ZONE NODE', 'a.example dns-1', 'a.example dns-2', 'b.example dns-1', 'b.example dns-2'],
      '',
    ]);
    expect(err).toContain(
      'zone a.example is not everywhere the same: dns-1 has serial 4; dns-2 has nothing',
    );
  });

  it.each([
    [zone('example.com', 9, 'aa'), zone('example.com', 8, 'bb'), 'dns-2 has serial 8, bb'],
    [zone('example.com', 9, 'aa'), zone('example.com', 9, 'bb'), 'dns-2 has serial 9, bb'],
  ])('is 1 when they differ', async (one, other, text) => {
    serving({ 'dns-1': [one], 'dns-2': [other] });
    const { code, err } = await at('example.com');
    expect(code).toBe(1);
    expect(err).toContain(text);
  });

  it('is 1 for a zone that none serves', async () => {
    serving({});
    expect((await at('example.com')).code).toBe(1);
  });

  it('shows by the heartbeats what all have applied when none can be asked', async () => {
    site.admin = () => Promise.reject(new OperationalError('EDGE_CONTROL_FAILED', 'no answer'));
    const { code, out, err } = await at();
    expect(code).toBe(1);
    expect(out).toMatch(/^- +dns-1 +12 +3 +- +- +- +-\n- +dns-2 +11 +3 +- +- +- +-$/m);
    const texts = ['dns-1', 'dns-2'].map(
      (node) => `edgectl: ${node} could not be asked: no answer\n`,
    );
    expect(err).toBe(texts.join(''));
  });

  it('shows the token of EDGE_ADMIN_TOKEN_FILE, and nobody one that others may read', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'edge-ctl-'));
    const [file, token] = [join(directory, 'token'), 'f0'.repeat(16)];
    try {
      writeFileSync(file, `${token}\n${'0f'.repeat(16)}\n`, { mode: 0o600 });
      const shown = new Set<string | undefined>();
      site.admin = async (_address, _path, given) => {
        shown.add(given);
        return { zones: [] };
      };
      site.env.EDGE_ADMIN_TOKEN_FILE = file;
      await at('example.com');
      expect([...shown]).toEqual([token]);
      chmodSync(file, 0o644);
      expect(await at('example.com')).toMatchObject({
        code: 78,
        err: expect.stringMatching(/open to every user/),
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('does not count those that are silent', async () => {
    await site.clock.advance(60_000);
    const { code, out, err } = await at('example.com');
    expect(code).toBe(3);
    expect(out.split('\n')).toHaveLength(2);
    expect(err).toContain('dns-1 could not be asked: silent for 60s');
  });

  it('names those that could not be asked', async () => {
    await site.natter('dns-3', { service: 'dns', applied: { dns: 12, pools: 3 } });
    serving({ 'dns-1': [zone('example.com', 9, 'aa')], 'dns-2': [zone('example.com', 9, 'aa')] });
    const { code, out, err } = await at('example.com');
    expect(code).toBe(1);
    expect(err).toContain('edgectl: dns-3 could not be asked: its admin pages are on loopback');
    expect(out).toMatch(/^example.com +dns-3 +12 +3 +- +- +- +-$/m);
  });

  it('is 3 when nobody is there', async () => {
    site = new Harness();
    const { code, err } = await at('example.com');
    expect({ code, err }).toEqual({ code: 3, err: 'edgectl: no dns is live\n' });
  });
});
