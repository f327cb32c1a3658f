// The lines of a text file, one by one: an array of half a million strings is not needed. Pure.

/** `row` from 1; a carriage return at the end is not part of a line. False from `visit` ends it. */
export function eachLine(text: string, visit: (line: string, row: number) => boolean): void {
  let row = 1;
  for (let at = 0; at < text.length; row++) {
    const found = text.indexOf('\n', at);
    const end = found < 0 ? text.length : found;
    const cut = end > at && text.charCodeAt(end - 1) === 0x0d ? end - 1 : end;
    if (!visit(text.slice(at, cut), row)) return;
    at = end + 1;
  }
}

/** Where field `index` (from 0) of a line starts: a column, from 1. */
export function columnOf(source: string, separator: string, index: number): number {
  const before = source.split(separator, index);
  return before.reduce((sum, field) => sum + field.length + 1, 1);
}

/** `AS4134`, `4134`; undefined: no AS number (RFC 5396 asplain). */
export function readAsn(text: string): number | undefined {
  const digits = /^(?:AS)?(\d{1,10})$/i.exec(text)?.[1];
  if (digits === undefined || Number(digits) > 0xffff_ffff) return undefined;
  return Number(digits);
}
