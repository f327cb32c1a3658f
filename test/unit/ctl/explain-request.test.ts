// `explain [METHOD] URL` and flows of lb, on a control socket that the test answers for: who is
// asked, what, and what is printed.
import { describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';

const TARGETS = [
  { id: '10.0.0.5:8080', health: 'up', weight: 0.30000000000000004, open: 2, skipped: null },
  { id: '10.0.0.6:8080', health: 'down', weight: 3, open: 0, skipped: 'down' },
  { id: '10.0.0.7:8080', health: 'up', weight: 1, open: 0, skipped: null },
];
const ANSWER = {
  listener: 'web',
  route: 'www',
  pool: 'www',
  pick: '10.0.0.7:8080',
  steps: [
    { step: 'listener', result: 'web at 0.0.0.0:443' },
    { step: 'route', result: 'www (www.example.com; any path)' },
    { step: 'pool', result: 'www, ring on source' },
    { step: 'targets', result: '2 of 3 are free' },
  ],
  targets: TARGETS,
};

function answering(answer: object): Harness {
  const site = new Harness();
  site.control.post = async () => answer;
  return site;
}

describe('explain URL', () => {
  it('asks lb with all of the request, and prints steps, targets and the pick', async () => {
    const site = answering(ANSWER);
    const call = ['explain', 'GET', 'https://www.example.com/path?q=1', '--from', '2001:DB8:0::1'];
    const headers = ['-H', 'X-Canary: 1', '--header', 'Cookie:lb=abc; a=b '];
    const { code, out, err } = await site.run(...call, ...headers);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(
      [
        'GET https://www.example.com/path?q=1, asked by 2001:db8::1',
        '  listener: web at 0.0.0.0:443',
        '  route: www (www.example.com; any path)',
        '  pool: www, ring on source',
        '  targets: 2 of 3 are free',
        'TARGET         HEALTH  WEIGHT  OPEN  SKIPPED',
        '10.0.0.5:8080  up         0.3     2  -',
        '10.0.0.6:8080  down         3     0  down',
        '10.0.0.7:8080  up           1     0  -',
        'sent: to 10.0.0.7:8080',
        '',
      ].join('\n'),
    );
    const body = {
      method: 'GET',
      url: 'https://www.example.com/path?q=1',
      from: '2001:db8::1',
      headers: [
        ['X-Canary', '1'],
        ['Cookie', 'lb=abc; a=b'],
      ],
    };
    expect(site.asked).toEqual([{ path: '/explain', body }]);
    expect(site.sockets).toEqual(['/run/edge/lb.sock']);
  });

  it.each<[string, object, string]>([
    ['the only one', { pick: null, targets: TARGETS.slice(0, 2) }, 'sent: to 10.0.0.5:8080'],
    ['whose turn it is', { pick: null }, 'sent: to one of the 2 that are not skipped'],
    [
      'nobody',
      { pick: null, targets: [TARGETS[1]], steps: [{ step: 'targets', result: '503: none' }] },
      'refused: 503: none',
    ],
    [
      'a redirect',
      { pick: null, targets: [], steps: [{ step: 'action', result: '308 to /new' }] },
      'answered: 308 to /new',
    ],
    [
      'no listener',
      { pick: null, targets: [], steps: [{ step: 'listener', result: 'none for https://…:443' }] },
      'refused: none for https://…:443',
    ],
  ])('ends with %s', async (_, change, last) => {
    const { out } = await answering({ ...ANSWER, ...change }).run('explain', 'https://x.example');
    expect(out.trimEnd().split('\n').at(-1)).toBe(last);
  });

  it.each([
    [['https://www.example.com/'], { method: 'GET', from: '127.0.0.1', headers: [] }],
    [['post', 'http://www.example.com/'], { method: 'POST' }],
    [['http://10.0.0.5:8080'], { url: 'http://10.0.0.5:8080' }],
    [['HTTP://www.example.com', '--socket', '/tmp/x.sock'], { url: 'HTTP://www.example.com' }],
  ])('%j is a request', async (args, expected) => {
    const site = answering(ANSWER);
    expect((await site.run('explain', ...args)).code).toBe(0);
    expect(site.asked[0]?.body).toMatchObject(expected);
  });

  it('--json gives what the daemon said', async () => {
    const { out } = await answering(ANSWER).run('explain', 'https://www.example.com', '--json');
    expect(JSON.parse(out)).toEqual(ANSWER);
  });

  it.each([
    [['ftp://www.example.com'], '"ftp://www.example.com" is no URL of http or https'],
    [['GET', 'https://'], '"https://" is no URL'],
    [['GET', 'https://a.example', 'https://b.example'], 'one METHOD and one URL'],
    [['G T', 'https://a.example'], '"G T" is no method'],
    [['https://a.example', '--from', 'ann'], '--from "ann" is no address'],
    [['https://a.example', '-H', 'X-Canary'], "--header is like 'Name: value', not"],
    [['www.example.com', '-H', 'X-Canary: 1'], '"www.example.com" is no URL'],
    [['https://a.example', '--service', 'dns'], '--service is one of natter, lb, not "dns"'],
  ])('%j is a wrong call: %s', async (args, message) => {
    const { code, err } = await new Harness().run('explain', ...args);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

describe('explain FLOW --service lb', () => {
  const flow = '192.0.2.9:4242 > 198.51.100.10:80/tcp';
  const answer = {
    verdict: 'sent',
    reason: 'DSR_REDIRECTED',
    steps: ['virtual server 198.51.100.10:80/tcp, pool www', 'hash 1f, slot 31 of the table'],
  };

  it('asks lb, and says that the frame went as it is', async () => {
    const site = answering(answer);
    const { code, out } = await site.run('explain', flow, '--service', 'lb');
    expect(code).toBe(0);
    expect(out).toBe(
      [
        flow,
        '  virtual server 198.51.100.10:80/tcp, pool www',
        '  hash 1f, slot 31 of the table',
        'sent: DSR_REDIRECTED',
        '',
      ].join('\n'),
    );
    expect(site.sockets).toEqual(['/run/edge/lb.sock']);
  });

  it.each([
    [[], '/run/edge/natter.sock'],
    [['--service', 'natter'], '/run/edge/natter.sock'],
    [['--service', 'lb', '--socket', '/tmp/lb.sock'], '/tmp/lb.sock'],
    [['--socket', '/tmp/lb.sock'], '/tmp/lb.sock'],
  ])('%j asks at %s', async (flags, socket) => {
    const site = answering(answer);
    expect((await site.run('explain', flow, ...flags)).out).toContain('sent: DSR_REDIRECTED');
    expect(site.sockets).toEqual([socket]);
  });
});
