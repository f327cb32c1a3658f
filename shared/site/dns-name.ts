// Domain names in site objects: text in lower case without the final dot, with the escapes of zone
// files where they are needed; the root is `.`. Pure.
import { displayName, parseName } from '../dns/names.ts';

// A bare @ or blank, and what is beyond ASCII, is a slip of the pen: it can be meant by an escape.
const WRITTEN = /^(?:[!-?A-[\]-~]|\\[ -~])+$/;

/** As an operator may write it: in either case, with or without the final dot. */
export function parseDnsName(text: string): string | undefined {
  if (!WRITTEN.test(text)) return undefined;
  const name = parseName(text);
  return name === undefined ? undefined : displayName(name);
}

/** Only the spelling that is stored. */
export function parseStoredName(text: string): string | undefined {
  const name = parseName(text);
  return name !== undefined && displayName(name) === text ? text : undefined;
}

/** Why a text is no name; undefined where there is no more to say. */
export function nameProblem(text: string): string | undefined {
  const shown = JSON.stringify(text);
  if (/[^\0-\x7f]/.test(text)) return `${shown} has letters beyond ASCII: write it as xn--…`;
  if (text === '@') return '"@" means nothing here: write the whole name';
  return undefined;
}

/** The mailbox of an SOA: like a name, with a dot where mail has its @ (RFC 1035 §3.3.13). */
export function mailboxProblem(text: string): string | undefined {
  const [local = '', domain, ...more] = text.split('@');
  if (domain === undefined || more.length > 0) return nameProblem(text);
  const name = `${local.replaceAll('.', '\\.')}.${domain}`;
  return `${JSON.stringify(text)} is not a name: the mailbox is written ${name}`;
}

/** Of a stored name: what follows its first label; undefined for the root. */
export function parentName(name: string): string | undefined {
  if (name === '.') return undefined;
  for (let at = 0; at < name.length; at++) {
    if (name[at] === '\\') at++;
    else if (name[at] === '.') return name.slice(at + 1);
  }
  return '.';
}

/** The longest of `zones` that a name is in. */
export function zoneOf(name: string, zones: { has(zone: string): boolean }): string | undefined {
  for (let at: string | undefined = name; at !== undefined; at = parentName(at)) {
    if (zones.has(at)) return at;
  }
  return undefined;
}
