// Records of a zone that goes: kept by name, taken when that is asked, warned of with a file.
import { beforeEach, describe, expect, it } from 'vitest';
import { Harness, type Result } from './harness.ts';

let site: Harness;
const at = (...argv: string[]) => site.run(...argv, '--store', 'memory:');

async function dns(): Promise<void> {
  const store = site.server.connect();
  const [own, pools] = [await store.head('dns'), await store.head('pools')];
  const applied = { dns: own.version, pools: pools.version };
  await site.natter('dns-1', { service: 'dns', applied });
}

function apply(text: string): Promise<Result> {
  site.stdin = text;
  return at('apply', '-f', '-');
}

const soa = 'soa: { primary: ns.example.com, mail: h.example.com }';
const ZONE = `zones:\n  - { zone: example.com, ${soa} }\n`;
const RECORDS = `records:
  - { name: example.com, type: NS, data: [ns.example.net] }
  - { name: mail.example.com, type: MX, ttl: 1h, data: ["10 mx.example.net"] }
  - { name: www.example.com, type: A, data: [192.0.2.1] }
`;

beforeEach(async () => {
  site = new Harness();
  site.clock.onSleep = dns;
  await dns();
  await apply(ZONE + RECORDS);
});

describe('delete zone', () => {
  it('refuses while it has records', async () => {
    const kept = await at('delete', 'zone', 'Example.com.');
    expect(kept).toMatchObject({ code: 1, out: '' });
    expect(kept.err).toContain('zone example.com has 3 records: ');
    expect(kept.err).toContain('www.example.com/A');
    expect(kept.err).toContain('--with-records');
    expect((await at('get', 'zones')).out).toContain('example.com');
  });

  it('takes them --with-records', async () => {
    const gone = await at('delete', 'zone', 'Example.com.', '--with-records', '--yes');
    expect(gone).toMatchObject({ code: 0, err: '' });
    expect(gone.out).toContain('zone example.com deleted\n');
    expect(gone.out).toContain('record www.example.com/A deleted\n');
    expect((await at('get', 'records')).out).not.toContain('example.com');
  });

  it('leaves those of a zone below that stays', async () => {
    await apply(`zones:\n  - { zone: sub.example.com, ${soa} }
records:\n  - { name: a.sub.example.com, type: A, data: [192.0.2.1] }\n`);
    await at('delete', 'zone', 'example.com', '--with-records', '--yes');
    const { out } = await at('get', 'records');
    expect(out).toContain('a.sub.example.com');
    expect(out).not.toContain('www.example.com');
  });

  it('with a file leaves them, with a warning each, and none for what is left later', async () => {
    site.stdin = ZONE;
    const gone = await at('delete', '-f', '-', '--yes');
    expect(gone.code).toBe(0);
    expect(gone.err).toContain('edgectl: warning: record mail.example.com/MX: is in no zone');
    expect(gone.err).toContain('edgectl: warning: record www.example.com/A: is in no zone');
    const other = await apply('lines:\n  - { name: unicom }\n');
    expect({ code: other.code, err: other.err }).toEqual({ code: 0, err: '' });
  });
});
