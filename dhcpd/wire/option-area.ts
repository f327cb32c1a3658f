// Options out of the three places of a message that can hold them: the options field, then `file`,
// then `sname` (RFC 2131 §4.1, RFC 2132 §2 and §9.3), parts of one code joined (RFC 3396). Pure.

const PAD = 0;
const END = 255;
const OVERLOAD = 52;

export const OPTIONS_AT = 240;
const SNAME = { start: 44, end: 108 } as const;
const FILE = { start: 108, end: 236 } as const;
const IN_FILE = 1;
const IN_SNAME = 2;

export type OptionAreas = {
  /** Each a view of `message`, but for one that came in parts. */
  options: Map<number, Uint8Array>;
  /** 0 to 3: which fields held options instead of what they are named for. */
  overload: number;
};

/** Nothing here throws: an option that runs past the end of its place ends the place. */
export function readOptionAreas(message: Uint8Array): OptionAreas {
  const into: Parts = { options: new Map(), repeated: undefined };
  walk(message, OPTIONS_AT, message.length, true, into);
  const overload = overloadOf(into);
  if ((overload & IN_FILE) !== 0) walk(message, FILE.start, FILE.end, false, into);
  if ((overload & IN_SNAME) !== 0) walk(message, SNAME.start, SNAME.end, false, into);
  for (const [code, parts] of into.repeated ?? []) into.options.set(code, join(message, parts));
  return { options: into.options, overload };
}

/**
 * Joined at the end: joining at each part would let 64 KB of parts cost their square. Kept as
 * numbers, start and length in turn: a view for each would be thirty times the datagram.
 */
type Parts = {
  options: Map<number, Uint8Array>;
  repeated: Map<number, number[]> | undefined;
};

function walk(
  message: Uint8Array,
  start: number,
  end: number,
  mayOverload: boolean,
  into: Parts,
): void {
  const { buffer, byteOffset } = message;
  let at = start;
  while (at < end) {
    const code = message[at] ?? END;
    if (code === END) return;
    if (code === PAD) {
      at++;
      continue;
    }
    const length = at + 1 < end ? (message[at + 1] ?? 0) : 256;
    if (at + 2 + length > end) return;
    if (code !== OVERLOAD || mayOverload) {
      const before = into.options.get(code);
      if (before === undefined) {
        into.options.set(code, new Uint8Array(buffer, byteOffset + at + 2, length));
      } else partsOf(into, code, before, byteOffset).push(at + 2, length);
    }
    at += 2 + length;
  }
}

function partsOf(into: Parts, code: number, first: Uint8Array, messageOffset: number): number[] {
  into.repeated ??= new Map();
  const before = into.repeated.get(code);
  if (before !== undefined) return before;
  const parts = [first.byteOffset - messageOffset, first.length];
  into.repeated.set(code, parts);
  return parts;
}

/** One that was said twice, or says nothing of the three, is as absent. */
function overloadOf({ options, repeated }: Parts): number {
  const bytes = options.get(OVERLOAD);
  if (bytes?.length !== 1 || repeated?.has(OVERLOAD)) return 0;
  const value = bytes[0] ?? 0;
  return value <= (IN_FILE | IN_SNAME) ? value : 0;
}

function join(message: Uint8Array, parts: readonly number[]): Uint8Array {
  let sum = 0;
  for (let at = 1; at < parts.length; at += 2) sum += parts[at] ?? 0;
  const whole = new Uint8Array(sum);
  let next = 0;
  for (let at = 0; at < parts.length; at += 2) {
    const start = parts[at] ?? 0;
    const end = start + (parts[at + 1] ?? 0);
    for (let from = start; from < end; from++) whole[next++] = message[from] ?? 0;
  }
  return whole;
}
