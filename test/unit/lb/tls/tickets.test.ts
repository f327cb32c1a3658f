// Session tickets: a client resumes at any worker that has the secret, as openssl's client sees it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import { TICKET_EPOCH_MS, ticketKeys } from '../../../../lb/l7/tls/ticket-keys.ts';
import { makeCertificate } from './certificates.ts';
import { TlsRig, type TlsRigOptions } from './rig.ts';

const ca = makeCertificate({ subject: 'ca', isCa: true });
const alice = makeCertificate({ subject: 'alice', issuer: ca });
const certificates = {
  first: makeCertificate({ names: ['a.example'] }),
  second: makeCertificate({ names: ['b.example'] }),
};
const mtls = { clientCertificate: 'required', clientCa: ca.chain } as const;
const directory = mkdtempSync(join(tmpdir(), 'edge-tickets-'));
const rigs: TlsRig[] = [];

afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});
process.on('exit', () => rmSync(directory, { recursive: true }));

async function open(options: Partial<TlsRigOptions> = {}): Promise<TlsRig> {
  const rig = await TlsRig.open({ certificates, ...options });
  rigs.push(rig);
  return rig;
}

/** Whether openssl's client resumed; its session is kept in `file`, or comes from there. */
async function handshake(
  rig: TlsRig,
  use: '-sess_out' | '-sess_in',
  options: { file?: string; more?: readonly string[] } = {},
): Promise<boolean> {
  const { file = 'session', more = [] } = options;
  const args = ['s_client', '-connect', `127.0.0.1:${rig.port}`, use, join(directory, file)];
  const child = spawn('openssl', [...args, ...more]);
  let out = '';
  child.stdout.on('data', (piece: Buffer) => {
    out += piece;
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  await until('s_client has heard the server', () => out.includes('hello'));
  child.stdin.end('Q\n');
  await exited;
  return /^Reused, /m.test(out);
}

async function isResumed(
  first: Partial<TlsRigOptions>,
  second: Partial<TlsRigOptions>,
  more: readonly string[] = [],
  change: (second: TlsRig) => Promise<void> = async () => {},
): Promise<{ byClient: boolean; byServer: boolean | undefined; second: TlsRig }> {
  const one = await open(first);
  const other = await open(second);
  expect(await handshake(one, '-sess_out', { more })).toBe(false);
  await change(other);
  const byClient = await handshake(other, '-sess_in', { more });
  return { byClient, byServer: other.secured[0]?.isResumed, second: other };
}

const both = (is: boolean) => ({ byClient: is, byServer: is });

describe('a ticket', () => {
  test.each(['-tls1_2', '-tls1_3'])('of one worker is taken by another (%s)', async (version) => {
    expect(await isResumed({}, {}, [version])).toMatchObject(both(true));
  });

  test.each(['-tls1_2', '-tls1_3'])('for a name beside the first (%s)', async (version) => {
    const more = [version, '-servername', 'b.example'];
    expect(await isResumed({}, {}, more)).toMatchObject(both(true));
  });

  test.each<[string, Partial<TlsRigOptions>]>([
    ['with another secret', { secret: Buffer.alloc(32, 8) }],
    ['of another listener', { listener: { name: 'other' } }],
    [
      'where client certificates are asked for',
      { listener: { ...mtls, clientCertificate: 'optional' } },
    ],
  ])('is not taken by a worker %s', async (_, options) => {
    expect(await isResumed({}, options)).toMatchObject(both(false));
  });

  test('of a client with a certificate has it', async () => {
    writeFileSync(join(directory, 'alice.pem'), alice.chain + alice.key);
    const more = ['-cert', join(directory, 'alice.pem')];
    const resumed = await isResumed({ listener: mtls }, { listener: mtls }, more);
    expect(resumed).toMatchObject(both(true));
    const [secured] = resumed.second.secured;
    expect(secured?.info.certificate?.subject).toBe('CN=alice, O=edge');
  });

  test('is good as long as its key is', async () => {
    const later = (ms: number) => async (second: TlsRig) => {
      await second.clock.advance(ms);
      second.terminator.tick();
    };
    const rest = TICKET_EPOCH_MS - (new Date(Date.UTC(2026, 0, 1)).getTime() % TICKET_EPOCH_MS);
    expect(await isResumed({}, {}, [], later(rest - 1))).toMatchObject(both(true));
    expect(await isResumed({}, {}, [], later(rest))).toMatchObject(both(false));
  });

  test('has keys that nothing but secret, listener and time decide', () => {
    const secret = Buffer.alloc(16, 1);
    const keys = ticketKeys(secret, 'scope', 5);
    expect(keys).toHaveLength(48);
    expect(ticketKeys(secret, 'scope', 5)).toEqual(keys);
    expect(ticketKeys(secret, 'scope', 6)).not.toEqual(keys);
    expect(ticketKeys(secret, 'other', 5)).not.toEqual(keys);
    expect(ticketKeys(Buffer.alloc(16, 2), 'scope', 5)).not.toEqual(keys);
  });
});
