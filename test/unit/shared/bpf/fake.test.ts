import { describe } from 'vitest';
import { createFakeBpf, createFakeKernel } from '../../../../shared/bpf/fake.ts';
import { fakePrograms } from '../../../support/bpf-conformance/fake-programs.ts';
import { conformance } from '../../../support/bpf-conformance/index.ts';

describe('the fake kernel', () => {
  conformance(() => {
    const kernel = createFakeKernel();
    const create = () => createFakeBpf({ kernel, programs: fakePrograms });
    return { bpf: create(), pinDirectory: '/fake/bpf', restart: create, close() {} };
  });
});
