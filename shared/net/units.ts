// Quantities as operators write them: rates (decimal, as tc and routers do), sizes (binary) and
// durations. A number, at most one point, and a unit in lower case: 100mbit, 1.5gbit, 64kb, 30s,
// 250ms.

type Unit = readonly [name: string, factor: number];

// Largest first: formatting takes the first that divides.
const rateUnits: readonly Unit[] = [
  ['tbit', 1e12],
  ['gbit', 1e9],
  ['mbit', 1e6],
  ['kbit', 1e3],
  ['bit', 1],
];
const sizeUnits: readonly Unit[] = [
  ['gb', 2 ** 30],
  ['mb', 2 ** 20],
  ['kb', 2 ** 10],
  ['b', 1],
];
const durationUnits: readonly Unit[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

/** Bits per second. */
export function parseRate(text: string): number | undefined {
  return parseQuantity(text, rateUnits);
}

export function formatRate(bitsPerSecond: number): string {
  return formatQuantity(bitsPerSecond, rateUnits);
}

/** Bytes; 1kb is 1024. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text, sizeUnits);
}

export function formatSize(bytes: number): string {
  return formatQuantity(bytes, sizeUnits);
}

/** Milliseconds. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, durationUnits);
}

export function formatDuration(milliseconds: number): string {
  return formatQuantity(milliseconds, durationUnits);
}

/** Only whole numbers of the smallest unit: 1.5ms is refused rather than rounded. */
function parseQuantity(text: string, units: readonly Unit[]): number | undefined {
  const match = /^(\d{1,16})(?:\.(\d{1,16}))?([a-z]+)$/.exec(text);
  const unit = units.find(([name]) => name === match?.[3]);
  if (match === null || unit === undefined) return undefined;
  const fraction = match[2] ?? '';
  // In integers, since 1.1 has no exact double.
  const scaled = BigInt(`${match[1]}${fraction}`) * BigInt(unit[1]);
  const divisor = 10n ** BigInt(fraction.length);
  const value = scaled / divisor;
  if (scaled % divisor !== 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return Number(value);
}

function formatQuantity(value: number, units: readonly Unit[]): string {
  const [name, factor] = units.find(([, each]) => value !== 0 && value % each === 0) ?? ['', 1];
  return name === '' ? `0${units.at(-1)?.[0]}` : `${value / factor}${name}`;
}
