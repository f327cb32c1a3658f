// Names by which clients ask: `www.example.com`, or `*.example.com` for one label or more before
// it. Pure.
import { isHostName } from '../net/ports.ts';
import { parseAddress } from './peer.ts';

/** In lower case, without a final dot. */
export function parseHostPattern(text: string): string | undefined {
  const lower = text.toLowerCase().replace(/\.$/, '');
  const name = lower.startsWith('*.') ? lower.slice(2) : lower;
  const isAddress = name === lower && !name.includes(':') && parseAddress(name) === name;
  return isAddress || (isHostName(name) && !name.includes('_')) ? lower : undefined;
}

/** Why a text is none; undefined where there is no more to say. */
export function hostPatternProblem(text: string): string | undefined {
  const shown = JSON.stringify(text);
  if (text === '*') return '"*" is any name: leave it out';
  if (text.lastIndexOf('*') > 0 || (text.startsWith('*') && !text.startsWith('*.'))) {
    return `${shown} has a * that is not the whole first label, as in *.example.com`;
  }
  if (/[^\0-\x7f]/.test(text)) return `${shown} has letters beyond ASCII: write it as xn--…`;
  if (/:\d+$/.test(text)) return `${shown} has a port: routes are chosen by the name alone`;
  return undefined;
}

/** Whether a name (no pattern) is meant by it. */
export function hostMatches(pattern: string, name: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === name;
  return name.endsWith(pattern.slice(1)) && name.length > pattern.length - 1;
}
