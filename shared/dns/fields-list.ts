// Fields of record data that take all the words that are left. Pure.
import { join } from '../bytes.ts';
import { type Field, RdataError } from './fields.ts';
import { charString, formatText } from './fields-scalar.ts';

/** One or more character-strings (RFC 1035 §3.3.14). */
export const texts = (what: string): Field => ({
  parse(words) {
    const parts = [charString(words.next(what), what)];
    while (words.left > 0) parts.push(charString(words.next(what), what));
    return join(parts);
  },
  length: (rdata, at) => rdata.length - at,
  format(part) {
    const shown: string[] = [];
    let at = 0;
    while (at < part.length) {
      const end = at + 1 + (part[at] ?? 0);
      if (end > part.length) throw new RdataError(`${what} is cut off`);
      shown.push(formatText(part.subarray(at + 1, end)));
      at = end;
    }
    if (shown.length === 0) throw new RdataError(`there is no ${what}`);
    return shown.join(' ');
  },
});
