// What failed in the kernel or in libbpf, as OperationalErrors with the errno's name.
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { type ErrorCode, OperationalError, type OperationalErrorOptions } from '../errors.ts';

/** The kernel's own "operation not supported"; not in the C library's list. */
export const ENOTSUPP = 524;
export const {
  E2BIG,
  EAGAIN,
  EBADF,
  EACCES,
  EEXIST,
  EMFILE,
  ENFILE,
  ENOMEM,
  EINTR,
  EINVAL,
  ENODEV,
  ENOENT,
  ENOSPC,
  ENOTSUP,
  EPERM,
} = constants.errno;

const names = new Map<number, string>(
  Object.entries(constants.errno).map(([name, number]) => [number, name]),
);
names.set(ENOTSUPP, 'ENOTSUPP');

/** 'EPERM' for 1 and for -1. */
export const errnoName = (errno: number): string =>
  names.get(Math.abs(errno)) ?? `errno ${Math.abs(errno)}`;

export interface BpfErrorDetails extends OperationalErrorOptions {
  errno?: number;
  /** How many entries of a batch were done before it failed. */
  done?: number;
  /** The verifier's whole log. */
  log?: string;
}

export class BpfError extends OperationalError {
  /** The errno's name, such as 'ENOSPC'. */
  readonly errno: string | undefined;
  readonly done: number | undefined;
  readonly log: string | undefined;

  constructor(code: ErrorCode, message: string, details: BpfErrorDetails = {}) {
    super(code, message, details);
    this.errno = details.errno === undefined ? undefined : errnoName(details.errno);
    this.done = details.done;
    this.log = details.log;
  }
}

/** EINVAL of a tcx link: the kernel does not know of them. A daemon told to use it ends. */
export const noTcx = (what: string): BpfError =>
  new BpfError('EDGE_BPF_NO_TCX', `${what}: ${errnoName(EINVAL)}`, {
    errno: EINVAL,
    exitCode: 78,
    remedy: 'tcx needs Linux 6.6 or newer, with CONFIG_NET_XGRESS: attach at tc instead',
  });

/** A call that returned a negative errno. EPERM becomes EDGE_BPF_PERMISSION whatever was tried. */
export function callFailed(
  code: ErrorCode,
  what: string,
  result: number,
  details: BpfErrorDetails = {},
): BpfError {
  const errno = Math.abs(result);
  const message = `${what}: ${errnoName(errno)}`;
  // Without CAP_PERFMON the verifier refuses what it takes from others.
  if (errno === EPERM || (code === 'EDGE_BPF_VERIFIER' && errno === EACCES && !mayTrace())) {
    const remedy = 'run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON';
    return new BpfError('EDGE_BPF_PERMISSION', message, {
      ...details,
      remedy,
      errno,
      exitCode: 77,
    });
  }
  const remedy = details.remedy ?? remedies[errno];
  return new BpfError(code, message, { ...details, ...(remedy && { remedy }), errno });
}

const remedies: Readonly<Record<number, string>> = {
  [EMFILE]: 'raise the limit of open files: LimitNOFILE of the unit, ulimit -n',
  [ENFILE]: 'raise fs.file-max',
};

const CAP_PERFMON = 38n;

function mayTrace(): boolean {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> CAP_PERFMON) & 1n) === 1n;
}
