// The last states on disk, believed after a restart until there are votes (docs/health.md, V6). One
// JSON text, written aside and renamed.
import { mkdirSync } from 'node:fs';
import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './probe-attempt.ts';
import type { Measured } from './types.ts';

const FORMAT = 1;

export type Remembered = { measured: Measured; sinceMs: number };

/** By target id. Empty where there is none; throws for a file that cannot be read, or is none. */
export async function readSnapshot(path: string): Promise<Map<string, Remembered>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return new Map();
    throw error;
  }
  return parseSnapshot(text);
}

export async function writeSnapshot(
  path: string,
  states: ReadonlyMap<string, Remembered>,
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const handle = await open(`${path}.new`, 'w', 0o600);
  try {
    await handle.writeFile(formatSnapshot(states));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.new`, path);
}

export function formatSnapshot(states: ReadonlyMap<string, Remembered>): string {
  const rows = [...states].map(([id, { measured, sinceMs }]) => [id, measured, sinceMs]);
  return `${JSON.stringify({ edgeHealth: FORMAT, states: rows })}\n`;
}

/** Throws for what formatSnapshot() has not written. */
export function parseSnapshot(text: string): Map<string, Remembered> {
  const { edgeHealth, states } = Object(JSON.parse(text)) as Record<string, unknown>;
  if (edgeHealth !== FORMAT || !Array.isArray(states)) throw new Error('it is no such snapshot');
  return new Map(states.map(rowOf));
}

function rowOf(row: unknown): [string, Remembered] {
  const [id, measured, sinceMs] = Array.isArray(row) ? row : [];
  const isState = measured === 'up' || measured === 'down' || measured === 'unknown';
  if (typeof id === 'string' && isState && Number.isFinite(sinceMs)) {
    return [id, { measured, sinceMs: Number(sinceMs) }];
  }
  throw new Error('a row of it is damaged');
}
