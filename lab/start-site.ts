// `npm start`: builds the site, tells its story in a table, and stays up with its pages.
import { CONSOLE_PORT } from './console.ts';
import type { LabDaemon } from './daemon.ts';
import { LAB_ZONE } from './dns.ts';
import { VIPS } from './lb.ts';
import { WWW } from './lb-objects.ts';
import type { SiteStart } from './options.ts';
import { type Page, Pages } from './pages.ts';
import { type Site, site } from './site.ts';
import { dnsAddresses, siteObjects, vmAddress, vmName } from './site-objects.ts';
import { perform, steps } from './story/story.ts';
import { cut, heading, row, type Style } from './story/table.ts';

const COLUMNS = 120;
const VMS = 6;

type Told = { total: number; failed: number };

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** Exit code: 0 when all that was shown is ok; 1; or 130 when it was told to end before that. */
export async function startSite(
  start: SiteStart,
  style: Style,
  signal: AbortSignal,
): Promise<number> {
  const began = performance.now();
  const progress = (what: string): void => {
    console.log(cut(`${seconds(began).padStart(7)}  ${what}`, COLUMNS));
  };
  let lab: Site | undefined;
  let told: Told | undefined;
  try {
    lab = await build(start, progress, signal);
    console.log(`${style.bold}site is up after ${seconds(began)}${style.plain}`);
    told = await tell(lab, style, signal);
    console.log(`\n${summary(told, style)}, ${seconds(began)} in all`);
    if (!start.once) await stay(lab, start.port, style, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    console.log('taking the site down …');
    await lab?.down();
  }
  if (!told) return 130;
  return told.failed === 0 ? 0 : 1;
}

async function build(
  start: SiteStart,
  progress: (what: string) => void,
  signal: AbortSignal,
): Promise<Site> {
  const { services, isps, natters, spray } = start;
  const count = (name: 'dhcpd' | 'dns' | 'lb'): number => (services.has(name) ? 2 : 0);
  const lab = await site({
    isps,
    natters,
    spray,
    vms: VMS,
    dhcpds: count('dhcpd'),
    dnses: count('dns'),
    lbs: count('lb'),
    redis: 'replicated',
    console: true,
    progress,
    signal,
  });
  try {
    progress('edgectl apply: what the site shall do, until all have it in force');
    await lab.apply(siteObjects(lab));
    await lab.converged();
  } catch (error) {
    await lab.down();
    throw error;
  }
  return lab;
}

const daemonsOf = (lab: Site): LabDaemon[] => [
  ...(lab.console ? [lab.console] : []),
  ...lab.natters,
  ...lab.dhcpds,
  ...lab.dnses,
  ...lab.lbs,
];

async function tell(lab: Site, style: Style, signal: AbortSignal): Promise<Told> {
  const told = { total: 0, failed: 0 };
  for (const [at, { title, checks }] of steps(lab).entries()) {
    console.log(heading(style, at + 1, title));
    for (const check of checks) {
      signal.throwIfAborted();
      const report = await perform(lab, check);
      console.log(row(style, report));
      told.total++;
      if (!report.ok) told.failed++;
    }
  }
  signal.throwIfAborted();
  if (told.failed > 0) {
    console.log("\nThe daemons' last words:");
    for (const node of daemonsOf(lab)) console.log(lastWords(node));
  }
  return told;
}

/** The messages of its log's last records. */
function lastWords(node: LabDaemon): string {
  const lines = (node.daemon?.tail(5) ?? '').split('\n');
  const said = lines.map((line) => {
    const [, time, message] = /"time":"[^T]*T([^Z]*)Z".*"msg":"((?:[^"\\]|\\.)*)"/.exec(line) ?? [];
    return cut(`   ${time ? `${time} ${message}` : line}`, COLUMNS);
  });
  return [node.name, ...said].join('\n');
}

const summary = ({ total, failed }: Told, style: Style): string =>
  failed === 0
    ? `${style.good}all ${total} ok${style.plain}`
    : `${style.bad}${failed} of ${total} failed${style.plain}`;

/** The console's page first, then each daemon's own. */
function pagesOf(lab: Site, port: number): Page[] {
  const first = lab.console
    ? [{ name: 'site', node: lab.console, port: CONSOLE_PORT, path: '/', wanted: CONSOLE_PORT }]
    : [];
  const own = daemonsOf(lab).map((node, at) => {
    return {
      name: node.name,
      node,
      port: node.service.adminPort,
      path: '/status',
      wanted: port + at,
    };
  });
  return [...first, ...own];
}

/** Commands that work here, as long as the site is up. */
function commands(lab: Site): string[] {
  const enter = (node: string): string => `ip netns exec edge-${lab.run.id}-${node}`;
  const [first = { name: '' }] = lab.clients;
  const last = lab.clients.at(-1) ?? first;
  const [server] = dnsAddresses(lab);
  return [
    ...(lab.natters.length > 0 ? [`${enter(first.name)} ping -c 3 ${vmAddress(lab, 0)}`] : []),
    ...(server ? [`${enter(last.name)} kdig @${server} ${vmName(lab)}.${LAB_ZONE}`] : []),
    ...(lab.lbs.length > 0
      ? [`${enter(last.name)} curl -k --connect-to ::${VIPS.isps[0]} https://${WWW}/`]
      : []),
    `${enter('store')} env EDGE_STORE=${lab.redis.url} deploy/bin/edgectl status`,
  ];
}

async function stay(lab: Site, port: number, style: Style, signal: AbortSignal): Promise<void> {
  const pages = new Pages();
  console.log('');
  for (const { name, url } of await pages.open(pagesOf(lab, port))) {
    console.log(`${name === 'site' ? style.bold : ''}${name.padEnd(9)} ${url}${style.plain}`);
  }
  for (const [at, line] of commands(lab).entries())
    console.log(`${at === 0 ? '\ntry' : '   '}  ${line}`);
  console.log('\nCtrl-C takes the site down.');
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  pages.close();
}
