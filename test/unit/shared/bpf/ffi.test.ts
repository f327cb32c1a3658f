import { expect, test, vi } from 'vitest';
import { libbpf } from '../../../../shared/bpf/ffi.ts';

vi.mock('koffi', async (importOriginal) => {
  const { default: koffi } = await importOriginal<typeof import('koffi')>();
  const load = (library: string) => koffi.load(`absent-${library}`);
  return { default: { ...koffi, load } };
});

test('a machine without libbpf is told how to get it', () => {
  expect(() => libbpf()).toThrow(
    expect.objectContaining({
      code: 'EDGE_BPF_LIBRARY',
      message: 'libbpf.so.1 cannot be used',
      remedy: expect.stringContaining('apt-get install libbpf1'),
    }),
  );
});
