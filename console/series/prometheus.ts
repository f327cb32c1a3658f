// The text of a metrics page (Prometheus exposition format 0.0.4) → samples of the metrics that
// are wanted. It comes from elsewhere: what is no sample is passed over, and all is bounded. Pure.

export type Sample = {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
  /** Name and labels as they were written: who the sample is. */
  key: string;
};

const MOST_SAMPLES = 50_000;
const KEY_CHARACTERS = 2048;
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?/gy;

/** The first 50,000 samples whose names are in `wanted`. */
export function parseMetrics(text: string, wanted: ReadonlySet<string>): Sample[] {
  const samples: Sample[] = [];
  let at = 0;
  while (at < text.length && samples.length < MOST_SAMPLES) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    if (text[at] !== '#') {
      const sample = parseLine(text.slice(at, Math.min(end, at + 2 * KEY_CHARACTERS)), wanted);
      if (sample !== undefined) samples.push(sample);
    }
    at = end + 1;
  }
  return samples;
}

function parseLine(line: string, wanted: ReadonlySet<string>): Sample | undefined {
  const name = NAME.exec(line)?.[0];
  if (name === undefined || !wanted.has(name)) return undefined;
  const labels: Record<string, string> = Object.create(null);
  let at = name.length;
  if (line[at] === '{') {
    LABEL.lastIndex = at + 1;
    at++;
    for (let found = LABEL.exec(line); found !== null; found = LABEL.exec(line)) {
      labels[found[1] ?? ''] = unescaped(found[2] ?? '');
      at = LABEL.lastIndex;
    }
    if (line[at] !== '}') return undefined;
    at++;
  }
  const key = line.slice(0, at);
  const value = parseValue(line.slice(at).trim().split(/\s+/)[0] ?? '');
  if (value === undefined || key.length > KEY_CHARACTERS) return undefined;
  return { name, labels, value, key };
}

function parseValue(text: string): number | undefined {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  const value = Number(text);
  return text === '' || Number.isNaN(value) ? undefined : value;
}

function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(.)/g, (_, what: string) => (what === 'n' ? '\n' : what));
}
