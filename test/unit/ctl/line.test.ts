// edgectl's verbs of lines, on a control socket that the test answers for.
import { describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';

function answering(answers: Record<string, unknown>): Harness {
  const site = new Harness();
  site.control.get = async (path) => answers[path];
  return site;
}

const covers = (line: string, listed: number, shareV4: number, shareV6: number) => {
  return { line, listed, leaves: 1, addressesV4: 256, sitesV6: 0.5, shareV4, shareV6 };
};
const LINES = {
  lines: [
    { name: 'default', fallback: [] },
    { name: 'telecom', fallback: ['china', 'unicom'] },
    { name: 'new', fallback: [] },
  ],
  report: { lines: [covers('default', 0, 0, 0), covers('telecom', 12, 0.256, 1)] },
  text: ['line     listed', 'telecom      12'],
  problems: [],
  refused: [],
};

describe('line list', () => {
  it('shows what each line covers', async () => {
    const site = answering({ '/lines': LINES });
    const { code, out, err } = await site.run('line', 'list');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(
      [
        'LINE     PREFIXES   IPV4    IPV6  FALLBACK',
        'default         0   0.0%    0.0%  -',
        'telecom        12  25.6%  100.0%  china, unicom',
        'new             -      -       -  -',
        '',
      ].join('\n'),
    );
  });

  it('is there before lists were compiled', async () => {
    const lines = [{ name: 'default', fallback: [] }];
    const site = answering({ '/lines': { ...LINES, lines, report: null, text: [] } });
    expect((await site.run('line', 'list')).out).toContain('default         -     -     -  -');
    expect(JSON.parse((await site.run('line', 'list', '--json')).out)).toEqual(lines);
  });

  it('--json has the counts of the report', async () => {
    const { out } = await answering({ '/lines': LINES }).run('line', 'list', '--json');
    expect(JSON.parse(out)[1]).toEqual({
      name: 'telecom',
      fallback: ['china', 'unicom'],
      listed: 12,
      leaves: 1,
      addressesV4: 256,
      sitesV6: 0.5,
      shareV4: 0.256,
      shareV6: 1,
    });
  });
});

describe('line report', () => {
  it('prints what the daemon says of the lists', async () => {
    const site = answering({ '/lines': LINES });
    expect(await site.run('line', 'report')).toEqual({
      code: 0,
      out: 'line     listed\ntelecom      12\n',
      err: '',
    });
    const { out } = await site.run('line', 'report', '--json');
    expect(JSON.parse(out)).toEqual(LINES.report);
  });

  it('ends with 1 when a file is wrong or the lines are refused', async () => {
    const problems = [{ file: '/etc/l.txt', line: 3, column: 1, message: 'no prefix' }];
    const refused = ['line a falls back to itself: name another'];
    const { code, err } = await answering({ '/lines': { ...LINES, problems, refused } }).run(
      ...['line', 'report'],
    );
    expect(code).toBe(1);
    expect(err).toBe(`edgectl: /etc/l.txt:3:1: no prefix\nedgectl: ${refused[0]}\n`);
  });
});

describe('line of', () => {
  const telecom = { address: '59.43.1.1', line: 'telecom', prefix: '59.43.0.0/16', scope: 16 };
  const none = { address: '2001:db8::1', line: 'default', prefix: '::/0', scope: 0 };

  it('asks for each address, in its one spelling', async () => {
    const site = answering({
      '/line?address=59.43.1.1': telecom,
      '/line?address=2001%3Adb8%3A%3A1': none,
    });
    const { code, out } = await site.run('line', 'of', '59.43.1.1', '2001:DB8::0:1');
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'ADDRESS      LINE     PREFIX',
        '59.43.1.1    telecom  59.43.0.0/16',
        '2001:db8::1  default  ::/0',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await site.run('line', 'of', '59.43.1.1', '--json')).out)).toEqual([
      telecom,
    ]);
  });

  it('refuses what is no address before it asks', async () => {
    const site = answering({});
    const { code, err } = await site.run('line', 'of', '59.43.1.1', '59.43.0.0/16');
    expect(code).toBe(2);
    expect(err).toContain('"59.43.0.0/16" is no address');
    expect(site.asked).toEqual([]);
  });
});

describe('line unknown', () => {
  const clients = [
    { prefix: '203.0.113.0/24', count: 6100, error: 61 },
    { prefix: '2001:db8::/48', count: 61, error: 0 },
  ];

  it('shows who asks most', async () => {
    const site = answering({ '/unknown-clients': { clients } });
    expect((await site.run('line', 'unknown')).out).toBe(
      [
        'CLIENTS         ANSWERS  AT LEAST',
        '203.0.113.0/24     6100      6039',
        '2001:db8::/48        61        61',
        '',
      ].join('\n'),
    );
    const { out } = await site.run('line', 'unknown', '--limit', '1', '--json');
    expect(JSON.parse(out)).toEqual(clients.slice(0, 1));
  });

  it.each(['0', 'x', '-1'])('--limit %s is a wrong call', async (limit) => {
    expect((await answering({}).run('line', 'unknown', `--limit=${limit}`)).code).toBe(2);
  });
});
