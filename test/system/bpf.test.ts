// shared/bpf on the real kernel, in a network namespace and on a bpffs of its own.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { createBpf } from '../../shared/bpf/kernel.ts';
import { unshareNetwork } from '../../shared/bpf/libc.ts';
import { ensureBpffs } from '../../shared/bpf/pin.ts';
import { conformance } from '../support/bpf-conformance/index.ts';
import { needs, root } from '../support/skip.ts';

const bpffs = mkdtempSync(join(tmpdir(), 'edge-bpf-'));

const isRoot = root().met;

beforeEach((context) => needs(context, root()));

beforeAll(() => {
  if (!isRoot) return;
  unshareNetwork();
  ensureBpffs(bpffs);
});

afterAll(() => {
  if (isRoot) spawnSync('umount', [bpffs]);
  rmdirSync(bpffs);
});

describe('the kernel', () => {
  let setups = 0;
  conformance(() => ({
    bpf: createBpf(),
    pinDirectory: join(bpffs, `edge/${++setups}/natter`),
    restart: createBpf,
    close() {},
  }));
});
