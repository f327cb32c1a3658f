// npm run package: builds dist/edgeplane_VERSION_ARCHITECTURE.deb. See README.md.
import { globSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packDebian } from './debian.ts';
import { releaseOf } from './release.ts';
import { buildTree, bytesBelow } from './tree.ts';

const USAGE = `Usage: npm run package [-- --verify]
Builds a Debian package into dist/.

  --verify   then install it in a root of Debian's own, run everything from there, and remove it
  --help     show this and end
`;

const checkout = join(import.meta.dirname, '../..');
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function build(): string {
  const startMs = Date.now();
  const release = releaseOf(checkout, process.env);
  const dist = join(checkout, 'dist');
  const tree = join(dist, 'tree');
  mkdirSync(dist, { recursive: true });
  // One at a time: what the README and the images install is dist/edgeplane_*.deb.
  for (const earlier of globSync('edgeplane_*.deb', { cwd: dist })) rmSync(join(dist, earlier));
  buildTree(checkout, tree, release);
  const installed = bytesBelow(tree);
  const deb = packDebian(tree, dist, release);
  const seconds = ((Date.now() - startMs) / 1000).toFixed(0);
  const sizes = `${megabytes(statSync(deb).size)}, installed ${megabytes(installed)}`;
  console.log(`${deb.slice(checkout.length + 1)}: ${sizes}, built in ${seconds} s`);
  return deb;
}

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.filter((each) => each !== '--verify' && each !== '--help');
  if (unknown.length > 0 || args.includes('--help')) {
    (unknown.length > 0 ? process.stderr : process.stdout).write(USAGE);
    return unknown.length > 0 ? 2 : 0;
  }
  const deb = build();
  if (!args.includes('--verify')) return 0;
  const { verify } = await import('./verify.ts');
  return verify({ deb, dist: join(checkout, 'dist') });
}

process.exit(await main(process.argv.slice(2)));
