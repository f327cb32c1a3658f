// The map cases once more on a kernel whose maps have no batch operations, as older ones lack them
// for some types: what is left is one system call an entry.
import { beforeEach, describe, vi } from 'vitest';
import { ENOTSUPP } from '../../shared/bpf/failure.ts';
import { createBpf } from '../../shared/bpf/kernel.ts';
import { useFixture } from '../support/bpf-conformance/fixture.ts';
import { hashCases, perCpuCases, prefixCases, walkCases } from '../support/bpf-conformance/maps.ts';
import { needs, root } from '../support/skip.ts';

vi.mock('../../shared/bpf/ffi.ts', async (importOriginal) => {
  const ffi = await importOriginal<typeof import('../../shared/bpf/ffi.ts')>();
  const refuse = () => -ENOTSUPP;
  const libbpf = () => ({
    ...ffi.libbpf(),
    bpf_map_update_batch: refuse,
    bpf_map_delete_batch: refuse,
    bpf_map_lookup_batch: refuse,
  });
  return { ...ffi, libbpf };
});

describe('a kernel without batches', () => {
  beforeEach((context) => needs(context, root()));
  const fixture = useFixture(() => ({
    bpf: createBpf(),
    pinDirectory: '',
    restart: createBpf,
    close() {},
  }));
  describe('a hash', () => hashCases(fixture));
  describe('a per-CPU map', () => perCpuCases(fixture));
  describe('a prefix map', () => prefixCases(fixture));
  describe('a walk', () => walkCases(fixture));
});
