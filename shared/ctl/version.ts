// `version`: of edgectl, Node and the kernel.

import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import type { Run } from './command.ts';
import { EXIT } from './exit.ts';

export async function productVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  const value: unknown = JSON.parse(text);
  const named = typeof value === 'object' && value !== null && 'version' in value;
  return named && typeof value.version === 'string' ? value.version : 'unknown';
}

export const version: Run = async (context, args) => {
  const found = { edgectl: await productVersion(), node: process.versions.node, kernel: release() };
  const text = `edgectl ${found.edgectl} (Node ${found.node}, Linux ${found.kernel})`;
  await context.out.line(args.switches.has('json') ? JSON.stringify(found, null, 2) : text);
  return EXIT.ok;
};
