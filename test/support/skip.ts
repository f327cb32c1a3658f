// The only way to skip a test. A skip is earned: it names what is missing, and where the machine
// should have had it (it runs as root, or the package is one that set-up installs) the test fails
// instead.
import { execFileSync } from 'node:child_process';
import { release } from 'node:os';
import type { TestContext } from 'vitest';

export type Requirement = {
  what: string; // "root", "kernel feature fq": completes "skipped: needs …"
  met: boolean;
  /** Whether this machine should meet it; then a miss is a failure. */
  owed: boolean;
};

/** Skips the running test, or fails it, unless every requirement is met. */
export function needs(context: Pick<TestContext, 'skip'>, ...requirements: Requirement[]): void {
  const missing = requirements.filter(({ met }) => !met);
  if (missing.length === 0) return;
  const list = missing.map(({ what }) => what).join(', ');
  // Without root nothing else can be expected to be there.
  const excused = missing.some(({ what, owed }) => what === rootName && !owed);
  if (!excused && missing.some(({ owed }) => owed)) {
    throw new Error(`needs ${list}, which this machine should have: run "npm run setup" as root`);
  }
  process.stderr.write(`skipped: needs ${list}\n`);
  context.skip(`needs ${list}`);
}

const rootName = 'root';

/** Never owed: who runs the tests without root knows. */
export function root(): Requirement {
  return { what: rootName, met: process.getuid?.() === 0, owed: false };
}

/** A program that set-up installs on every machine. */
export function program(name: string): Requirement {
  return { what: `the program ${name}`, met: isInstalled(name), owed: true };
}

/** Something of the kernel, found by trying it; `owed` on kernels that are known to have it. */
export function kernel(what: string, met: boolean, owed = true): Requirement {
  return { what: `the kernel's ${what}`, met, owed };
}

/** Kernels before 6.6 have none. */
export function tcx(): Requirement {
  const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
  return kernel('tcx links', major > 6 || (major === 6 && minor >= 6), false);
}

function isInstalled(name: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', name], { stdio: 'ignore' });
    return true;
  } catch {
    return false; // the shell's way to say no
  }
}
