// What the product calls itself, from its package.json.
import { readFileSync } from 'node:fs';

export function productVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = Object(JSON.parse(text)) as { version?: unknown };
  return typeof version === 'string' ? version : 'unknown';
}
