// Doctor: rights, kernel features, libbpf and the bpf file system.

import type { CheckId } from './checks.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Host } from './host.ts';
import { heldCapabilities, missingOf } from './processes.ts';

const LEAST_KERNEL = [5, 15] as const; // the oldest that the programs are meant for
const TCX_KERNEL = [6, 6] as const;
const BPFFS_MAGIC = 0xcafe4a11;
const LIBRARY_DIRECTORIES = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', '/usr/local/lib'];

export async function rights(host: Host): Promise<Finding> {
  const missing = missingOf(await heldCapabilities(host, 'self'), [
    'CAP_NET_ADMIN',
    'CAP_PERFMON',
    'CAP_BPF',
  ]);
  if (missing.length === 0) return ok('host.rights', 'may load programs and set up links');
  const remedy = 'run doctor as root; the daemon gets them from its systemd unit';
  return warn('host.rights', `without ${missing.join(', ')}: some checks see less`, remedy);
}

type Version = readonly [major: number, minor: number];

function isAtLeast(release: string, [leastMajor, leastMinor]: Version): boolean {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** Both answers are well: tc is the default. */
export function tcx(host: Host): Finding {
  if (isAtLeast(host.kernelRelease(), TCX_KERNEL)) return ok('kernel.tcx', 'tcx may be used');
  return ok('kernel.tcx', `no tcx before Linux ${TCX_KERNEL.join('.')}: leave hook at tc`);
}

export function kernelVersion(host: Host): Finding {
  const release = host.kernelRelease();
  if (isAtLeast(release, LEAST_KERNEL)) return ok('kernel.version', `Linux ${release}`);
  const least = LEAST_KERNEL.join('.');
  return fail('kernel.version', `Linux ${release} is older than ${least}`, 'upgrade the kernel');
}

export async function btf(host: Host): Promise<Finding> {
  const found = (await host.list('/sys/kernel/btf')).includes('vmlinux');
  if (found) return ok('kernel.btf', 'the kernel has BTF');
  return fail(
    'kernel.btf',
    'the kernel has no /sys/kernel/btf/vmlinux',
    'use a kernel with CONFIG_DEBUG_INFO_BTF=y, as distributions ship it',
  );
}

/** `y`, `m`, `n`, or undefined when the kernel's configuration cannot be read. */
async function kernelOption(host: Host, option: string): Promise<string | undefined> {
  const text =
    (await host.run('zcat', ['/proc/config.gz'])) ??
    (await host.read(`/boot/config-${host.kernelRelease()}`));
  if (text === undefined) return undefined;
  return new RegExp(`^${option}=([ym])$`, 'm').exec(text)?.[1] ?? 'n';
}

async function loadable(host: Host, module: string): Promise<boolean> {
  if ((await host.list('/sys/module')).includes(module)) return true;
  return (await host.run('modprobe', ['--dry-run', '--quiet', module])) !== undefined;
}

export async function features(host: Host): Promise<Finding[]> {
  const wanted: [check: CheckId, option: string, module: string | undefined, what: string][] = [
    ['kernel.bpf', 'CONFIG_BPF_SYSCALL', undefined, 'BPF'],
    ['kernel.cls_bpf', 'CONFIG_NET_CLS_BPF', 'cls_bpf', 'the BPF classifier of tc'],
    ['kernel.clsact', 'CONFIG_NET_SCH_INGRESS', 'sch_ingress', 'the clsact queueing discipline'],
  ];
  return Promise.all(
    wanted.map(async ([check, option, module, what]) => {
      const value = await kernelOption(host, option);
      if (value === 'y') return ok(check, `${what} is built in`);
      if (module !== undefined && (await loadable(host, module))) {
        return ok(check, `${what} is a module that can be loaded`);
      }
      if (value === undefined) {
        return warn(check, `cannot tell whether the kernel has ${what}`, `look for ${option}`);
      }
      const gone =
        value === 'm' ? `the module ${module} is not installed` : `the kernel lacks ${what}`;
      return fail(check, gone, `use a kernel with ${option}=y or its module`);
    }),
  );
}

export async function bpffs(host: Host): Promise<Finding> {
  const type = await host.fileSystemType('/sys/fs/bpf');
  if (type === BPFFS_MAGIC) return ok('kernel.bpffs', 'the bpf file system is mounted');
  return fail(
    'kernel.bpffs',
    'no bpf file system at /sys/fs/bpf: nothing would survive a restart',
    'mount -t bpf bpf /sys/fs/bpf',
  );
}

export async function libbpf(host: Host): Promise<Finding> {
  const cache = await host.run('ldconfig', ['-p']);
  let found = cache?.includes('libbpf.so.1') ?? false;
  for (const directory of found ? [] : LIBRARY_DIRECTORIES) {
    const names = await host.list(directory);
    found ||= names.some((name) => name.startsWith('libbpf.so.1'));
  }
  if (found) return ok('host.libbpf', 'libbpf 1 is installed');
  return fail('host.libbpf', 'libbpf.so.1 is not installed', 'apt install libbpf1');
}
