// $GENERATE, the directive of BIND that writes many records in one line: its range, and its
// templates with `$`, `$$`, `${offset,width,base}`. Pure.

/** From `first` to `last` in steps. */
export type Range = { first: number; last: number; step: number };

const MAX_VALUE = 0x7fffffff;
const MAX_WIDTH = 255;

/** Of "1-10" or "0-254/2"; undefined when it is none. */
export function parseRange(text: string): Range | undefined {
  const match = /^(\d{1,10})-(\d{1,10})(?:\/(\d{1,10}))?$/.exec(text);
  if (match === null) return undefined;
  const [first = 0, last = 0, step = 1] = match.slice(1).map((each) => Number(each ?? 1));
  if (last < first || last > MAX_VALUE || step < 1 || step > MAX_VALUE) return undefined;
  return { first, last, step };
}

export function rangeSize({ first, last, step }: Range): number {
  return Math.floor((last - first) / step) + 1;
}

type Part = string | { offset: number; width: number; base: string };

/** A side of the directive: what stands still, and where the number comes in. */
export type Template = readonly Part[];

const MODIFIER = /^\{(-?\d{1,10})(?:,(\d{1,3})(?:,([doxXnN]))?)?\}/;

/** Undefined: a `{` that BIND would not understand either. */
export function parseTemplate(text: string): Template | undefined {
  const parts: Part[] = [];
  let still = '';
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\\') {
      still += text.slice(at, at + 2);
      at++;
    } else if (character !== '$') still += character;
    else if (text.charAt(at + 1) === '$') {
      still += '$';
      at++;
    } else {
      parts.push(still);
      still = '';
      const modifier = text.charAt(at + 1) === '{' ? MODIFIER.exec(text.slice(at + 1)) : undefined;
      if (modifier === null) return undefined;
      const [whole = '', offset = '0', width = '0', base = 'd'] = modifier ?? [];
      if (Number(width) > MAX_WIDTH) return undefined;
      parts.push({ offset: Number(offset), width: Number(width), base });
      at += whole.length;
    }
  }
  parts.push(still);
  return parts;
}

/** The text for one number. Undefined: with the offset it is none that can be written so. */
export function expand(template: Template, value: number): string | undefined {
  let text = '';
  for (const part of template) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    const number = value + part.offset;
    if (number > MAX_VALUE || number < (part.base === 'd' ? -MAX_VALUE : 0)) return undefined;
    text += digits(number, part.width, part.base);
  }
  return text;
}

function digits(value: number, width: number, base: string): string {
  if (base === 'n' || base === 'N') return nibbles(value, width, base === 'N');
  if (value < 0) return `-${String(-value).padStart(width - 1, '0')}`;
  const text = value.toString(base === 'd' ? 10 : base === 'o' ? 8 : 16);
  return (base === 'X' ? text.toUpperCase() : text).padStart(width, '0');
}

/** Hex digits, the lowest first, a label each; `width` counts the dots too. */
function nibbles(value: number, width: number, capitals: boolean): string {
  let text = '';
  let [rest, left] = [value, width];
  do {
    const digit = (rest & 15).toString(16);
    text += capitals ? digit.toUpperCase() : digit;
    rest >>>= 4;
    left--;
    if (rest === 0 && left <= 0) break;
    text += '.';
    left--;
  } while (rest !== 0 || left > 0);
  return text;
}
