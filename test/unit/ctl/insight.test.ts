// explain, trace and eip stats against a scripted daemon.
import { beforeEach, describe, expect, it } from 'vitest';
import { frameText } from '../../../shared/ctl/frame-text.ts';
import { OperationalError } from '../../../shared/errors.ts';
import { Harness } from './harness.ts';

let site: Harness;

beforeEach(() => {
  site = new Harness();
});

// Ethernet, IPv4 203.0.113.9 > 198.51.100.7, TCP 4242 > 443 SYN, TTL 64.
const FRAME = Buffer.from(
  '020000000002' +
    '020000000001' +
    '0800' +
    '450000280001000040060000cb007109c6336407' +
    '109201bb' +
    '0000000100000000500210000000' +
    '0000',
  'hex',
);

const RECORD = {
  timeNs: '1790000000123456789',
  interface: 'uplink0',
  egress: false,
  after: false,
  reason: 'IN_REDIRECTED',
  frameBytes: 54,
  frame: FRAME.toString('base64'),
};

async function* streamOf(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

describe('trace', () => {
  it('prints a line a packet, however the stream is cut', async () => {
    const text = `${JSON.stringify(RECORD)}\n${JSON.stringify({ ...RECORD, after: true })}\n`;
    site.control.stream = () => streamOf(text.slice(0, 30), text.slice(30, 300), text.slice(300));
    const { code, out } = await site.run('trace', '198.51.100.7', '--reason', 'in_redirected');
    expect(code).toBe(0);
    const packet = '203.0.113.9:4242 > 198.51.100.7:443 tcp SYN ttl 64 54 bytes';
    expect(out).toBe(
      `14:13:20.123 uplink0 ingress came ${packet}\n14:13:20.123 uplink0 ingress left ${packet} IN_REDIRECTED\n`,
    );
    expect(site.asked).toEqual([{ path: '/trace?address=198.51.100.7&reason=IN_REDIRECTED' }]);
  });

  it('refuses to write a capture on a terminal', async () => {
    site.tty = true;
    const { code, err } = await site.run('trace', '--pcap', '-');
    expect(code).toBe(2);
    expect(err).toContain('not writing a capture on a terminal');
    expect(site.asked).toEqual([]);
  });

  it('says so when the daemon sends something else', async () => {
    site.control.stream = () => streamOf('hello\n');
    const { code, err } = await site.run('trace');
    expect(code).toBe(1);
    expect(err).toContain('the daemon sent no trace record: hello');
  });

  it('ends with 0 on Ctrl-C', async () => {
    site.control.stream = async function* () {
      yield Buffer.from(`${JSON.stringify(RECORD)}\n`);
      site.interrupt.abort();
      throw new Error('aborted');
    };
    expect((await site.run('trace', '--json')).code).toBe(0);
  });
});

it.each([
  ['cut short', FRAME.subarray(0, 10), 'a frame cut short'],
  ['ARP', Buffer.concat([FRAME.subarray(0, 12), Buffer.from('0806', 'hex')]), 'EtherType 0x0806'],
  ['TCP', FRAME, '203.0.113.9:4242 > 198.51.100.7:443 tcp SYN ttl 64'],
  ['TCP without ports', FRAME.subarray(0, 34), '203.0.113.9 > 198.51.100.7 tcp ttl 64'],
])('a frame in words: %s', (_, frame, expected) => {
  expect(frameText(frame)).toBe(expected);
});

describe('explain', () => {
  it('sends the flow and prints the steps', async () => {
    site.control.post = async () => ({
      verdict: 'translated',
      reason: 'OUT_REDIRECTED',
      steps: ['10.0.0.5 has the EIP 198.51.100.7', 'the FIB says uplink0'],
      translated: '198.51.100.7:4242 > 203.0.113.5:443/tcp',
    });
    const { code, out } = await site.run('explain', '10.0.0.5:4242 > 203.0.113.5:443/tcp');
    expect(code).toBe(0);
    expect(out).toBe(
      [
        '10.0.0.5:4242 > 203.0.113.5:443/tcp',
        '  10.0.0.5 has the EIP 198.51.100.7',
        '  the FIB says uplink0',
        'translated: OUT_REDIRECTED',
        'leaves as 198.51.100.7:4242 > 203.0.113.5:443/tcp',
        '',
      ].join('\n'),
    );
    expect(site.asked[0]?.body).toEqual({
      source: '10.0.0.5',
      sourcePort: 4242,
      destination: '203.0.113.5',
      destinationPort: 443,
      protocol: 6,
    });
  });

  it('refuses what is no flow with exit 2', async () => {
    const { code, err } = await site.run('explain', '10.0.0.5:4242 > 203.0.113.5');
    expect(code).toBe(2);
    expect(err).toContain('which protocol? Write 203.0.113.5/tcp');
  });

  it('is exit 3 when no daemon runs', async () => {
    site.control.post = async () => {
      throw new OperationalError('EDGE_NOT_RUNNING', 'no daemon answers', { exitCode: 3 });
    };
    expect((await site.run('explain', '10.0.0.5 > 203.0.113.5')).code).toBe(3);
  });
});

describe('eip stats', () => {
  const meter = (address: string, inPackets: number) => ({
    address,
    inPackets,
    inBytes: inPackets * 100,
    outPackets: 0,
    outBytes: 0,
  });

  it('lists by address and says which it does not have', async () => {
    site.control.get = async () => ({
      eips: [meter('198.51.100.10', 5), meter('198.51.100.9', 7)],
    });
    const { code, out } = await site.run('eip', 'stats');
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'ADDRESS        IN-PACKETS  IN-BYTES  OUT-PACKETS  OUT-BYTES',
        '198.51.100.9            7       700            0          0',
        '198.51.100.10           5       500            0          0',
        '',
      ].join('\n'),
    );
    site.control.get = async () => ({ eips: [] });
    const missing = await site.run('eip', 'stats', '198.51.100.9');
    expect(missing.code).toBe(1);
    expect(missing.err).toContain('this natter has no EIP 198.51.100.9');
    expect(site.asked.at(-1)?.path).toBe('/stats?address=198.51.100.9');
  });
});

describe('eip stats --all', () => {
  const row = { inPackets: 1, inBytes: 2, outPackets: 3, outBytes: 4 };
  const at = (...argv: string[]) => site.run('eip', 'stats', ...argv, '--store', 'memory:');

  it('adds up what each live natter metered', async () => {
    await site.natter('a', { address: '10.0.0.11:9101' });
    await site.natter('b', { address: '10.0.0.12:9101' });
    site.admin = async () => ({ eips: [{ address: '198.51.100.7', ...row }] });
    const { code, out, err } = await at('--all', '198.51.100.7', '198.51.100.7', '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const sum = { inPackets: 2, inBytes: 4, outPackets: 6, outBytes: 8 };
    expect(JSON.parse(out)).toEqual([{ address: '198.51.100.7', ...sum }]);
    expect(site.asked.map(({ path }) => path)).toEqual([
      '10.0.0.11:9101/stats?address=198.51.100.7',
      '10.0.0.12:9101/stats?address=198.51.100.7',
    ]);
    expect((await at('--all', '198.51.100.7')).err).toBe('edgectl: sum of a, b\n');
    expect((await at('--all', '198.51.100.9')).code).toBe(1);
  });

  it('names who is not in the sum, and ends with 1', async () => {
    await site.natter('silent', { address: '10.0.0.14:9101' });
    await site.clock.advance(60_000);
    await site.natter('a', { address: '10.0.0.11:9101' });
    await site.natter('b');
    await site.natter('c', { address: '10.0.0.13:9101' });
    site.admin = async (address) => {
      if (address !== '10.0.0.13:9101') return { eips: [{ address: '198.51.100.7', ...row }] };
      throw new OperationalError('EDGE_CONTROL_FAILED', 'nobody answers');
    };
    const { code, out, err } = await at('--all', '198.51.100.7');
    expect(code).toBe(1);
    expect(out).toContain('198.51.100.7');
    expect(err).toContain('not b: its admin pages are on loopback only');
    expect(err).toContain('not c: nobody answers');
    expect(err).toContain('not silent: silent for 60s');
    expect(err).toContain('sum of a\n');
  });

  it.each([
    ['no address', ['--all'], 2],
    ['a socket', ['--all', '198.51.100.7', '--socket', '/x'], 2],
    ['no natter', ['--all', '198.51.100.7'], 3],
  ])('%s', async (_, argv, expected) => {
    expect((await at(...argv)).code).toBe(expected);
  });
});
