// The manual pages of the package, from the tree that was built: its programs are asked for --help.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Edition, type PageSource, pageOf } from './man-pages.ts';

const SERVICES = ['natter', 'dhcpd', 'dns', 'lb', 'console'];

/** Writes them below usr/share/man of the tree. */
export function writePages(checkout: string, tree: string, edition: Edition): void {
  for (const source of sources(checkout, tree)) {
    const folder = join(tree, `usr/share/man/man${source.section}`);
    mkdirSync(folder, { recursive: true });
    const page = pageOf(source, edition);
    writeFileSync(join(folder, `${source.name}.${source.section}.gz`), gzipSync(page));
  }
}

function sources(checkout: string, tree: string): PageSource[] {
  const read = (path: string): string => readFileSync(join(checkout, path), 'utf8');
  const help = (program: string, ...args: string[]): string =>
    execFileSync(join(tree, 'usr/bin', program), [...args, '--help'], { encoding: 'utf8' });
  const services = SERVICES.filter((name) => existsSync(join(checkout, name, 'README.md')));
  const daemons = services.map((name) => `**edge-${name}**(8)`);
  const daemonPages = services.map((name) => ({
    name: `edge-${name}`,
    section: 8 as const,
    text: read(`${name}/README.md`),
    help: help(`edge-${name}`),
    files: filesOf(name),
    seeAlso: ['**edgectl**(1)', ...daemons.filter((each) => each !== `**edge-${name}**(8)`)],
  }));
  const edgectl = {
    name: 'edgectl',
    section: 1 as const,
    text: read('docs/edgectl.md'),
    help: help('edgectl'),
    summary: 'changes what the site should be, shows what it is, and says why',
    rows: 'Commands',
    files: [
      ['/etc/edge/edgectl.yaml', 'which store, and the secrets to ask it with'],
      ['/run/edge/SERVICE.sock', 'the control socket of the daemon on this host'],
      ['/usr/share/doc/edgeplane/examples', 'site files to start from'],
    ] as const,
    seeAlso: ['**l3addnet**(1)', ...daemons],
  };
  const l3addnet = {
    name: 'l3addnet',
    section: 1 as const,
    text: '',
    help: help('edgectl', 'l3addnet').replace('usage: edgectl ', 'usage: '),
    summary: 'adds a prefix that is cut into /30s, one for each VM of a host',
    files: [],
    seeAlso: ['**edgectl**(1)', '**edge-dhcpd**(8)'],
  };
  return [...daemonPages, edgectl, l3addnet];
}

function filesOf(name: string): [string, string][] {
  return [
    [`/etc/edge/${name}.yaml`, 'settings'],
    [`/run/edge/${name}.sock`, 'control socket'],
    [`/var/lib/edge/${name}`, 'state'],
    ['/usr/share/doc/edgeplane/examples', 'settings and site files to start from'],
  ];
}
