// The .deb around a tree: control, md5sums, maintainer scripts; packed by dpkg-deb, the same bytes
// for the same tree.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Release } from './release.ts';
import { bytesBelow, filesNamed } from './tree.ts';

const SCRIPTS = join(import.meta.dirname, 'scripts');
/** Opened by name at run time, or started; the rest is found by what the binaries link to. */
const NAMED = [
  'libbpf1',
  'iproute2',
  'systemd-standalone-sysusers | systemd',
  'systemd-standalone-tmpfiles | systemd',
];
/** Where dpkg-shlibdeps is not: what Debian 12 calls these libraries. */
const USUAL_LIBRARIES =
  'libc6 (>= 2.34), libgcc-s1 (>= 3.4), libpcap0.8 (>= 1.5.1), libstdc++6 (>= 12)';
/** What dpkg-shlibdeps reads before it looks at a binary. */
const STANZAS = 'Source: edgeplane\n\nPackage: edgeplane\nArchitecture: any\n';
/** xz -6 needs forty times as long for a file that is a fifth smaller. */
const COMPRESSION = ['-Zzstd', '-z9'];

/** Writes the package into `folder`; returns its path. */
export function packDebian(tree: string, folder: string, release: Release): string {
  const meta = join(tree, 'DEBIAN');
  rmSync(meta, { recursive: true, force: true });
  const sums = md5sums(tree);
  const control = controlOf(tree, release);
  mkdirSync(meta);
  writeFileSync(join(meta, 'control'), control);
  writeFileSync(join(meta, 'md5sums'), sums);
  for (const name of readdirSync(SCRIPTS)) {
    cpSync(join(SCRIPTS, name), join(meta, name));
    chmodSync(join(meta, name), 0o755);
  }
  for (const name of ['control', 'md5sums']) chmodSync(join(meta, name), 0o644);
  for (const path of [...readdirSync(meta).map((name) => join(meta, name)), meta, tree])
    lutimesSync(path, release.epoch, release.epoch);
  const { debianVersion, architecture, epoch } = release;
  const deb = join(folder, `edgeplane_${debianVersion}_${architecture}.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', ...COMPRESSION, '--build', tree, deb], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return deb;
}

function controlOf(tree: string, { debianVersion, architecture }: Release): string {
  return `Package: edgeplane
Version: ${debianVersion}
Architecture: ${architecture}
Maintainer: Edgeplane <root@localhost>
Installed-Size: ${Math.ceil(bytesBelow(tree) / 1024)}
Depends: ${[linkedLibraries(tree), ...NAMED].join(', ')}
Recommends: redis-server
Suggests: bird2, prometheus
Section: net
Priority: optional
Description: edge data plane: elastic IPs, DHCP, ISP-aware DNS, L4 and L7 load balancing
 Services of an edge, each deployed and scaled by itself, none with a master, that meet only in
 Redis: edge-natter translates elastic IPs in the kernel, edge-dhcpd hands out addresses, edge-dns
 answers each client with what lies inside of its own ISP, edge-lb balances load; edgectl is the
 operator's hand.
 .
 No service is started or enabled before it has a configuration in /etc/edge.
`;
}

function linkedLibraries(tree: string): string {
  const binaries = filesNamed(tree, /\.node$|^node$/).map((path) => join(tree, path));
  const folder = mkdtempSync(join(tmpdir(), 'edge-shlibdeps-'));
  try {
    mkdirSync(join(folder, 'debian'));
    writeFileSync(join(folder, 'debian/control'), STANZAS);
    const args = ['-O', '--ignore-missing-info', ...binaries.map((path) => `-e${path}`)];
    const found = spawnSync('dpkg-shlibdeps', args, { cwd: folder, encoding: 'utf8' });
    const libraries = /^shlibs:Depends=(.+)$/m.exec(found.stdout ?? '')?.[1];
    if (found.error === undefined && libraries === undefined)
      throw new Error(`dpkg-shlibdeps: ${found.stderr}`);
    return libraries ?? USUAL_LIBRARIES;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function md5sums(tree: string): string {
  const sum = (path: string): string =>
    createHash('md5')
      .update(readFileSync(join(tree, path)))
      .digest('hex');
  return filesNamed(tree, /./)
    .map((path) => `${sum(path)}  ${path}\n`)
    .join('');
}
