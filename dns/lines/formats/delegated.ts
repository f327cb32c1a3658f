// Statistics files of the RIRs ("delegated", and their extended form): registry|cc|type|start|value
// |date|status. For IPv4 the value is a number of addresses, not always a power of two; for IPv6 it
// is a length. Lines are countries. Pure.
import { readAddress } from './address-text.ts';
import { prefixesOfRange } from './ranges.ts';
import type { ListSink } from './sink.ts';
import { columnOf, eachLine } from './text-lines.ts';

/** Space that somebody holds. */
const HELD = new Set(['allocated', 'assigned']);

export function readDelegated(text: string, sink: ListSink): void {
  const first = new Uint32Array(4);
  const end = new Uint32Array(4);
  eachLine(text, (source, row) => {
    const [registry = '', country = '', type, start = '', value = '', , status] = source.split('|');
    // The version's line, summaries, AS numbers, and what nobody holds.
    if (source === '' || registry.startsWith('#') || /^[\d.]+$/.test(registry)) return true;
    if (country === '*' || type === 'asn') return true;
    const bad = (field: number, message: string) =>
      sink.problem(row, columnOf(source, '|', field), message, undefined, source);
    if (type !== 'ipv4' && type !== 'ipv6') {
      bad(0, 'is no registry|cc|ipv4 or ipv6|start|value|date|status');
    } else if (!HELD.has(status ?? '')) {
      // Available or reserved: nobody's.
    } else if (readAddress(start, first) !== (type === 'ipv4' ? 4 : 6)) {
      bad(3, `"${start}" is no address of ${type}`);
    } else if (!/^\d{1,10}$/.test(value) || Number(value) === 0) {
      bad(4, `"${value}" is no ${type === 'ipv4' ? 'number of addresses' : 'length'}`);
    } else if (type === 'ipv6') {
      if (Number(value) > 128) bad(4, `/${value} is longer than an address`);
      else sink.add(6, first, Number(value), sink.lineOfCountry(country), row);
    } else {
      const last = (first[0] ?? 0) + Number(value) - 1;
      if (last > 0xffff_ffff) {
        bad(4, `${value} addresses from ${start} are more than there are`);
      } else {
        end[0] = last;
        const line = sink.lineOfCountry(country);
        prefixesOfRange(4, first, end, (words, bits) => sink.add(4, words, bits, line, row));
      }
    }
    return !sink.isFull;
  });
}
