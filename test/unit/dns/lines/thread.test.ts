// Reading and compiling in another thread: what goes in and comes out is plain.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import type { Compiled } from '../../../../dns/lines/compile.ts';
import { lookup } from '../../../../dns/lines/lookup.ts';
import { bytesOf } from '../../../support/dns/lines-naive.ts';

const sources = join(import.meta.dirname, '../../../../dns/lines');
const program = `
  import { parentPort, workerData } from 'node:worker_threads';
  const [{ loadList }, { compileLines }, { nameLines }] = await Promise.all(
    ['load-list', 'compile', 'fallback'].map((name) => import(\`${sources}/\${name}.ts\`)));
  const parsed = await loadList(workerData.file);
  const { lines } = nameLines(workerData.settings, parsed.list.lines);
  parentPort.postMessage(compileLines([parsed.list], workerData.settings, lines));
`;

it('gives a tree of shared memory', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'edge-lines-'));
  try {
    writeFileSync(join(directory, 'list'), '192.0.2.0/24 telecom\n');
    const worker = new Worker(program, {
      eval: true,
      workerData: {
        file: { file: join(directory, 'list'), format: 'auto' },
        settings: [{ name: 'own', fallback: [], prefixes: [{ family: 6, address: 0n, bits: 16 }] }],
      },
    });
    const { tree, report } = await new Promise<Compiled>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(tree.lines).toEqual(['default', 'own', 'telecom']);
    expect(lookup(tree, 4, bytesOf('192.0.2.9').bytes)).toBe(2 * 256 + 24);
    expect(lookup(tree, 6, bytesOf('::1').bytes)).toBe(1 * 256 + 16);
    expect(report.files).toHaveLength(1);
    expect(tree.entries.buffer).toBeInstanceOf(SharedArrayBuffer);
    await worker.terminate();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
