// Where the compiled programs are.

import { join } from 'node:path';

export const OBJECT_PATH = join(import.meta.dirname, 'bpf', 'lb.bpf.o');
