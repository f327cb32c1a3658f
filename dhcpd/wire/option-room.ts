// Which option goes where in a reply: the options field first, then `file`, then `sname`, and what
// is left out when all are full (RFC 2131 §4.1, RFC 2132 §9.3, RFC 3396). Pure.

const OVERLOAD = 52;
const IN_FILE = 1;
const IN_SNAME = 2;
const PART_BYTES = 255;
const OVERLOAD_BYTES = 3;
const END_BYTES = 1;
const FILE_BYTES = 128 - END_BYTES;
const SNAME_BYTES = 64 - END_BYTES;

type Option = readonly [code: number, bytes: Uint8Array];
const NONE: readonly Option[] = [];

export type Wanted = {
  options: readonly Option[];
  /** So many of the first are never left out. */
  required: number;
  /** Of the options field, its END included. */
  mainBytes: number;
  /** Whether the field is free to hold options. */
  hasFile: boolean;
  hasServerName: boolean;
  /** Comes last in the options field, whole or not at all. */
  last: Option | undefined;
};

export type Placed = {
  main: readonly Option[];
  /** That `main` takes, with its END. */
  mainBytes: number;
  file: readonly Option[];
  sname: readonly Option[];
  /** Codes left out. */
  shed: number[];
};

/** With the headers of its parts. */
export function optionBytes(value: Uint8Array): number {
  return value.length + (value.length <= PART_BYTES ? 2 : 2 * Math.ceil(value.length / PART_BYTES));
}

/** Returns where the next one goes. */
export function writeOption(into: Uint8Array, at: number, code: number, value: Uint8Array): number {
  let next = at;
  let from = 0;
  do {
    const end = Math.min(from + PART_BYTES, value.length);
    into[next] = code;
    into[next + 1] = end - from;
    next += 2;
    // Nearly all are a few bytes, for which this is faster than set() and a view.
    while (from < end) into[next++] = value[from++] ?? 0;
  } while (from < value.length);
  return next;
}

/**
 * Without room for option 82 beside what is required, the reply goes without it (RFC 3046 §2.2);
 * all else gives way to it.
 */
export function place(wanted: Wanted): Placed {
  const { options, last, required } = wanted;
  let all = END_BYTES;
  for (const [, value] of options) all += optionBytes(value);
  const lastBytes = last === undefined ? 0 : optionBytes(last[1]);
  if (all + lastBytes <= wanted.mainBytes) {
    const main = last === undefined ? options : [...options, last];
    return { main, mainBytes: all + lastBytes, file: NONE, sname: NONE, shed: [] };
  }
  const squeezed = squeeze(wanted);
  if (last === undefined) return squeezed;
  const needed = [...options.slice(0, required).map(([code]) => code), last[0]];
  const isWhole = !needed.some((code) => squeezed.shed.includes(code));
  if (isWhole && squeezed.main[0] === options[0]) return squeezed; // the message type leads
  const without = place({ ...wanted, last: undefined });
  return { ...without, shed: [...without.shed, last[0]] };
}

/** Each goes to the first place that has room for all of it; the order is kept within a place. */
function squeeze({ options, mainBytes, hasFile, hasServerName, last }: Wanted): Placed {
  const placed = {
    main: [] as Option[],
    mainBytes: END_BYTES,
    file: [] as Option[],
    sname: [] as Option[],
    shed: [] as number[],
  } satisfies Placed;
  const mayOverload = hasFile || hasServerName;
  const reserved =
    (last === undefined ? 0 : optionBytes(last[1])) + (mayOverload ? OVERLOAD_BYTES : 0);
  let fileBytes = hasFile ? FILE_BYTES : 0;
  let snameBytes = hasServerName ? SNAME_BYTES : 0;
  for (const option of options) {
    const bytes = optionBytes(option[1]);
    if (placed.mainBytes + bytes + reserved <= mainBytes) {
      placed.main.push(option);
      placed.mainBytes += bytes;
    } else if (bytes <= fileBytes) {
      placed.file.push(option);
      fileBytes -= bytes;
    } else if (bytes <= snameBytes) {
      placed.sname.push(option);
      snameBytes -= bytes;
    } else placed.shed.push(option[0]);
  }
  const overload =
    (placed.file.length > 0 ? IN_FILE : 0) | (placed.sname.length > 0 ? IN_SNAME : 0);
  if (overload !== 0) {
    placed.main.push([OVERLOAD, Uint8Array.of(overload)]);
    placed.mainBytes += OVERLOAD_BYTES;
  }
  if (last !== undefined && placed.mainBytes + optionBytes(last[1]) <= mainBytes) {
    placed.main.push(last);
    placed.mainBytes += optionBytes(last[1]);
  } else if (last !== undefined) placed.shed.push(last[0]);
  return placed;
}
