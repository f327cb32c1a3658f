import { expect, it } from 'vitest';
import { type PageSource, pageOf } from '../../../deploy/package/man-pages.ts';

const EDITION = { version: '1.0', date: '2026-01-02' };
const HELP = `Usage: edge-x [--config FILE]
Does x.

  --config FILE   settings
  --help          show this, and *not* that

Signals: TERM stops.
Example: edge-x --help
`;
const SOURCE: PageSource = {
  name: 'edge-x',
  section: 8,
  text: [
    '# x\n\n## Name\n\n`edge-x`: does x. All of\nit.\n',
    '## Description\n\nHow it does.\n\n## Config\n\nNone.\n',
  ].join('\n'),
  help: HELP,
  files: [['/etc/edge/x.yaml', 'settings']],
  seeAlso: ['**edgectl**(1)'],
};

it('has the sections of a page, each once', () => {
  const roff = pageOf(SOURCE, EDITION);
  const sections = [...roff.matchAll(/^\.SH (.*)$/gm)].map(([, name]) => name);
  const before = ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'CONFIG'];
  expect(sections).toEqual([...before, 'EXAMPLE', 'FILES', 'SEE ALSO']);
  expect(roff).toMatch('.TH EDGE-X 8 "2026-01-02" "Edgeplane 1.0" "Edgeplane"\n');
  expect(roff).toMatch('.SH NAME\nedge\\-x \\- does x\n');
  expect(roff).toMatch('.SH DESCRIPTION\n.PP\nAll of it.\n.PP\nHow it does.\n');
});

it('has each option, and what else --help says', () => {
  const roff = pageOf(SOURCE, EDITION);
  expect(roff).toMatch('.TP\n\\fB\\-\\-config FILE\\fR\nsettings\n');
  expect(roff).toMatch('show this, and *not* that\n');
  expect(roff).toMatch('.PP\nSignals: TERM stops.\n');
  expect(roff).toMatch('.EX\nedge\\-x \\-\\-help\n.EE');
});

it('takes what it is from elsewhere, and commands in place of options', () => {
  const help = 'usage: edgectl COMMAND\n\n  get|delete   Prints.\n\nexample:\n  edgectl get\n';
  const other = {
    ...SOURCE,
    name: 'edgectl',
    text: '# edgectl\n\nIt tells.\n\n## More\n\nx\n',
    help,
  };
  const roff = pageOf({ ...other, summary: 'tells', rows: 'Commands' }, EDITION);
  expect(roff).toMatch('.SH NAME\nedgectl \\- tells\n');
  expect(roff).toMatch('.SH COMMANDS\n.TP\n\\fBget|delete\\fR\nPrints.\n');
  expect(roff).toMatch('.SH DESCRIPTION\n.PP\nIt tells.\n.SH MORE\n');
  expect(roff).toMatch('.EX\nedgectl get\n.EE');
});
