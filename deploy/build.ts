// Compiles every bpf/<name>.bpf.c of a service to <name>.bpf.o beside it, when it or a header of
// its folder or of shared/bpf/include is newer. Only a build needs clang; packages ship the
// objects.
import { spawnSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const multiarch = `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
const target = process.arch === 'arm64' ? '-D__TARGET_ARCH_arm64' : '-D__TARGET_ARCH_x86';

const modifiedAt = (path: string): number =>
  statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

let failed = false;
for (const source of globSync('{*,test/*,lb/*}/bpf/*.bpf.c', { cwd: root }).sort()) {
  const object = source.replace(/\.c$/, '.o');
  const folders = [dirname(source), 'shared/bpf/include'];
  const headers = folders.flatMap((folder) => globSync(join(folder, '*.h'), { cwd: root }));
  const inputs = [source, ...headers];
  const newest = Math.max(...inputs.map((input) => modifiedAt(join(root, input))));
  if (modifiedAt(join(root, object)) > newest) continue;
  console.error(`compile ${source}`);
  const flags = ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', target, '-Wall', '-Wextra', '-Werror'];
  const includes = [...folders, multiarch].flatMap((folder) => ['-I', folder]);
  const args = [...flags, ...includes, '-c', source, '-o', object];
  const clang = spawnSync('clang', args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (clang.error) console.error('deploy/build.ts: clang cannot be run; run: npm run setup');
  failed ||= clang.status !== 0;
}
process.exitCode = failed ? 1 : 0;
