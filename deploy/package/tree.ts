// The tree that the package installs, made in a directory: programs below usr/lib/edgeplane, what
// starts them, units, documents. It runs from where it stands, which the tests do.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { writeDocuments } from './documents.ts';
import { productionModules } from './node-modules.ts';
import type { Release } from './release.ts';

/** Where the programs are, in the tree. */
export const LIBRARY = 'usr/lib/edgeplane';
const ROOMS = ['natter', 'dhcpd', 'dns', 'lb', 'console', 'shared'];
/** What is read beside the code at run time; sources and documents are not. */
const NOT_READ = /\.(ts|c|h|md)$|\/tsconfig\.json$/;
/** Each program, and the module that it is. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'edge-natter': 'natter/main',
  'edge-dhcpd': 'dhcpd/main',
  'edge-dns': 'dns/main',
  'edge-lb': 'lb/main',
  'edge-console': 'console/main',
  edgectl: 'shared/ctl/main',
};

export function buildTree(checkout: string, tree: string, release: Release): void {
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(join(tree, LIBRARY), { recursive: true });
  compile(checkout, join(tree, LIBRARY));
  copyReadBeside(checkout, join(tree, LIBRARY));
  copyModules(checkout, join(tree, LIBRARY));
  copyNode(join(tree, LIBRARY, 'bin/node'));
  const manifest = { name: 'edgeplane', version: release.version, type: 'module', private: true };
  writeFileSync(join(tree, LIBRARY, 'package.json'), `${JSON.stringify(manifest)}\n`);
  writeLaunchers(checkout, tree);
  copyUnits(checkout, tree);
  writeDocuments(checkout, tree, release);
  settle(tree, release.epoch);
}

/** Types were checked by `npm run lint`; erasable syntax means the same without them. */
function compile(checkout: string, library: string): void {
  const tsc = join(checkout, 'node_modules/.bin/tsc');
  const project = join(checkout, 'deploy/package/tsconfig.json');
  execFileSync(tsc, ['-p', project, '--outDir', library], { stdio: ['ignore', 2, 2] });
}

function copyReadBeside(checkout: string, library: string): void {
  for (const room of ROOMS) {
    const files = globSync(`${room}/**/*`, { cwd: checkout, withFileTypes: true });
    for (const file of files) {
      const path = join(file.parentPath, file.name).slice(checkout.length + 1);
      if (!file.isFile() || NOT_READ.test(path)) continue;
      copy(join(checkout, path), join(library, path));
    }
  }
  for (const object of ['natter/bpf/natter.bpf.o', 'lb/l4/bpf/lb.bpf.o'])
    if (!existsSync(join(library, object)))
      throw new Error(`${object} is not built: npm run build`);
}

function copyModules(checkout: string, library: string): void {
  for (const { name, files } of productionModules(checkout)) {
    const [from, to] = [checkout, library].map((root) => join(root, 'node_modules', name));
    for (const file of files) copy(join(from ?? '', file), join(to ?? '', file));
  }
}

/** The Node that runs this, which set-up has pinned, without the symbols that nobody reads. */
function copyNode(to: string): void {
  copy(process.execPath, to);
  chmodSync(to, 0o755);
  execFileSync('strip', ['--strip-unneeded', to]);
}

function writeLaunchers(checkout: string, tree: string): void {
  const folder = join(tree, 'usr/bin');
  mkdirSync(folder, { recursive: true });
  for (const [name, module] of Object.entries(PROGRAMS)) {
    if (!existsSync(join(tree, LIBRARY, `${module}.js`))) continue;
    const text = `#!/bin/sh
# ${name} of the package, from wherever this file is linked.
self=$(readlink -f "$0")
library=\${self%/bin/*}/lib/edgeplane
exec "$library/bin/node" "$library/${module}.js" "$@"
`;
    writeFileSync(join(folder, name), text, { mode: 0o755 });
  }
  copy(join(checkout, 'deploy/bin/l3addnet'), join(folder, 'l3addnet'));
}

function copyUnits(checkout: string, tree: string): void {
  const from = join(checkout, 'deploy/systemd');
  const folders = { '.service': 'system', '.sysusers.conf': '', '.tmpfiles.conf': '' };
  for (const name of readdirSync(from)) {
    const kind = Object.keys(folders).find((ending) => name.endsWith(ending));
    if (kind === '.service') copy(join(from, name), join(tree, 'usr/lib/systemd/system', name));
    else if (kind !== undefined)
      copy(
        join(from, name),
        join(tree, `usr/lib${kind.replace('.conf', '.d').replace('.', '/')}`, 'edgeplane.conf'),
      );
  }
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { dereference: true });
}

/** The same modes and times on every machine; dpkg-deb sees to owners and order. */
function settle(path: string, epoch: number): void {
  const stat = lstatSync(path);
  if (stat.isDirectory()) {
    for (const name of readdirSync(path)) settle(join(path, name), epoch);
    chmodSync(path, 0o755);
  } else if (stat.isFile()) chmodSync(path, stat.mode & 0o100 ? 0o755 : 0o644);
  lutimesSync(path, epoch, epoch);
}

/** Bytes of all files. */
export function bytesBelow(path: string): number {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesBelow(join(path, name)), 0);
}

/** Paths of the files that `name` matches, from the tree on. */
export function filesNamed(tree: string, name: RegExp): string[] {
  const files = globSync('**/*', { cwd: tree, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  return files
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => name.test(basename(path)))
    .map((path) => path.slice(tree.length + 1))
    .sort();
}
