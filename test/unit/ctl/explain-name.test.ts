// `explain NAME`, on a control socket that the test answers for: what is asked, what is printed,
// and what tells a name from a flow and from a MAC.
import { describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';

const ANSWER = {
  verdict: 'answered',
  rcode: 'NOERROR',
  line: 'telecom',
  scope: 16,
  steps: ["ECS' address, 59.43.1.0, is in 59.43.0.0/16 of line telecom", 'pool www: 2 of 3 up'],
  answers: ['www.example.com 60 A 59.43.0.10'],
  authorities: [],
};

function answering(answer: object): Harness {
  const site = new Harness();
  site.control.post = async () => answer;
  return site;
}

describe('explain NAME', () => {
  it('asks dns with all that the query brings, and prints the steps and the answer', async () => {
    const site = answering(ANSWER);
    const query = ['--from', '192.0.2.53', '--ecs', '59.43.1.0/24', '--dnssec'];
    const { code, out, err } = await site.run('explain', 'WWW.example.com.', 'a', ...query);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(
      [
        'www.example.com A, asked by 192.0.2.53 with ECS 59.43.1.0/24',
        "  ECS' address, 59.43.1.0, is in 59.43.0.0/16 of line telecom",
        '  pool www: 2 of 3 up',
        'answered: NOERROR',
        '  www.example.com 60 A 59.43.0.10',
        '',
      ].join('\n'),
    );
    const body = {
      name: 'www.example.com',
      type: 'A',
      from: '192.0.2.53',
      ecs: '59.43.1.0/24',
      dnssec: true,
    };
    expect(site.asked).toEqual([{ path: '/explain', body }]);
  });

  it('shows what is sent beside no answer, and that nothing is sent', async () => {
    const soa = 'example.com 300 SOA ns.example.com. h.example.com. 7 3600 600 1209600 300';
    const nothing = { ...ANSWER, verdict: 'nxdomain', rcode: 'NXDOMAIN', steps: [], answers: [] };
    const call = ['explain', 'x.example.com', '--from', '2001:DB8:0::1'];
    const none = await answering({ ...nothing, authorities: [soa] }).run(...call);
    expect(none.out).toBe(
      [
        'x.example.com A, asked by 2001:db8::1',
        'nxdomain: NXDOMAIN',
        'authority:',
        `  ${soa}`,
        '',
      ].join('\n'),
    );
    const silent = { ...nothing, verdict: 'rate-limited', rcode: null };
    expect((await answering(silent).run(...call)).out).toContain('rate-limited: nothing is sent\n');
  });

  it('--json gives what the daemon said', async () => {
    const { out } = await answering(ANSWER).run(
      ...['explain', 'www.example.com', '--from', '59.43.1.1', '--json'],
    );
    expect(JSON.parse(out)).toEqual(ANSWER);
  });

  it('says so when the daemon answers otherwise', async () => {
    const { code, err } = await answering({ verdict: 'answered' }).run(
      ...['explain', 'www.example.com', '--from', '59.43.1.1'],
    );
    expect(code).toBe(1);
    expect(err).toContain('of the same version?');
  });
});

it.each([
  [['7.100.51.198.in-addr.arpa', 'PTR', '--from', '192.0.2.1'], { type: 'PTR' }],
  [['0/25.2.0.192.in-addr.arpa', '--from', '192.0.2.1'], { name: '0/25.2.0.192.in-addr.arpa' }],
  [['.', 'NS', '--from', '192.0.2.1'], { name: '.', type: 'NS' }],
  [['1.2.3.4', '--from', '192.0.2.1'], { name: '1.2.3.4' }],
  [['www.example.com', 'TYPE15', '--from', '192.0.2.1'], { type: 'TYPE15' }],
  [['www.example.com', '--from', '192.0.2.1', '--ecs', '59.43.1.7'], { ecs: '59.43.1.7' }],
])('%j is a name', async (args, expected) => {
  const site = answering(ANSWER);
  expect((await site.run('explain', ...args)).code).toBe(0);
  expect(site.asked[0]?.body).toMatchObject(expected);
});

it.each([
  [['www.example.com'], 'who asks? Give --from ADDRESS'],
  [['www.example.com', 'MX'], 'who asks? Give --from ADDRESS'],
  [['7.100.51.198.in-addr.arpa'], 'who asks? Give --from ADDRESS'],
  [['www.example.com', '--from', 'ann'], '--from "ann" is no address'],
  [['www.example.com', 'AX', '--from', '192.0.2.1'], '"AX" is no type such as A, AAAA, MX'],
  [['www..example', '--from', '192.0.2.1'], '"www..example" is no domain name'],
  [['münchen.example', '--from', '192.0.2.1'], 'write it as xn--'],
  [['a.example', 'A', 'b.example', '--from', '192.0.2.1'], 'one NAME and one TYPE'],
  [['www.example', '--from', '192.0.2.1', '--ecs', '59.43.1.1/24'], 'write 59.43.1.0/24'],
  [['www.example', '--from', '192.0.2.1', '--ecs', 'x'], '"x" is not a prefix such as'],
  [['host', '10.0.0.1'], '"host" is no IPv4 address with a port'],
  [['10.0.0.5:4242 > 203.0.113.5'], 'which protocol?'],
  [['10.0.0.5', '203.0.113.5/ping'], 'unknown protocol "ping"'],
  [['02-00-00-00-00-07-08'], 'is no MAC'],
])('%j is a wrong call: %s', async (args, message) => {
  const { code, err } = await new Harness().run('explain', ...args);
  expect(err).toContain(message);
  expect(code).toBe(2);
});
