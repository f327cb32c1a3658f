import { describe, expect, test } from 'vitest';
import { Incoming, type Received } from '../../../../dns/transfer/incoming.ts';
import { formatName } from '../../../../shared/dns/names.ts';
import { typeCode, typeName, typeOf } from '../../../../shared/dns/rdata.ts';
import type { MessageRecord } from '../../../../shared/dns/types.ts';
import type { RecordList } from '../../../../shared/dns/zone/record-list.ts';
import { nameOf } from '../../../support/dns/resolve-rig.ts';

const origin = nameOf('example');

/** `S7`: the SOA with serial 7; else owner, type and data. */
function recordOf(text: string): MessageRecord {
  const words = /^S\d+$/.test(text) ? `example SOA . . ${text.slice(1)} 1 2 3 4` : text;
  const [owner = '', mnemonic = '', ...data] = words.split(' ');
  const type = typeCode(mnemonic) ?? 0;
  const tokens = data.map((word) => ({ text: word, quoted: false }));
  const rdata = typeOf(type).parse(tokens, origin);
  return { owner: nameOf(owner), type, class: 1, ttlSeconds: 60, rdata };
}

const told = (list: RecordList) =>
  Array.from({ length: list.count }, (_, index) => {
    const type = list.type(index);
    if (typeName(type) === 'SOA') return `S${typeOf(type).format(list.rdata(index)).split(' ')[2]}`;
    return formatName(list.owner(index)).replace('.example.', '');
  }).join(' ');

function shown(received: Received | undefined): string | undefined {
  if (received === undefined) return undefined;
  if (received.kind === 'whole') return `whole ${received.serial}: ${told(received.records)}`;
  if (received.kind === 'current') return `current ${received.serial}`;
  const diffs = received.diffs.map(({ deleted, added }) => `−${told(deleted)} +${told(added)}`);
  return `${received.serial}: ${diffs.join(', ')}`;
}

function take(texts: readonly string[], have?: number): string | undefined {
  const incoming = new Incoming({ origin, have, maxBytes: 1000 });
  for (const text of texts) incoming.take(recordOf(text));
  return shown(incoming.result);
}

const A = 'a.example A 192.0.2.1';
const B = 'b.example A 192.0.2.1';

describe('a transfer in', () => {
  test.each<[readonly string[], number | undefined, string | undefined]>([
    [['S7', A, B, 'S7'], undefined, 'whole 7: S7 a b'],
    [['S7', A, B], undefined, undefined],
    [['S7', A, 'S7'], 5, 'whole 7: S7 a'],
    [['S7'], undefined, undefined],
    [['S7'], 5, undefined],
    [['S7'], 7, 'current 7'],
    [['S5'], 7, 'current 5'],
    [['S7', 'S7'], undefined, 'whole 7: S7'],
    [['S7', 'S5', A, 'S7', B, 'S7'], 5, '7: −S5 a +S7 b'],
    [['S7', 'S5', 'S7', 'S7'], 5, '7: −S5 +S7'],
    [['S7', 'S5', A, 'S6', B, 'S6', B, 'S7', A, 'S7'], 5, '7: −S5 a +S6 b, −S6 b +S7 a'],
    [['S7', 'S5', A, 'S6', B, 'S6', B, 'S7', A], 5, undefined],
    [['S1', 'S4294967295', A, 'S1', 'S1'], 0xffffffff, '1: −S4294967295 a +S1'],
  ])('%j with %s: %s', (texts, have, expected) => {
    expect(take(texts, have)).toBe(expected);
  });

  test.each<[readonly string[], number | undefined, string]>([
    [[A], undefined, 'does not begin with the SOA'],
    [['S7', A, 'S7', B], undefined, 'goes on after its last SOA'],
    [['S7', A, 'S8'], undefined, 'ends with another SOA'],
    [['S7', 'S6', A], 5, 'ends with another SOA'],
    [['S7', 'S5', A, 'S4'], 5, 'from serial 5 to 4'],
    [['S7', 'S5', A, 'S6', B, 'S5'], 5, 'a gap between serials 6 and 5'],
    [['S7', 'x.other A 192.0.2.1'], undefined, 'of another zone'],
    [['S7', 'a.example SOA . . 1 2 3 4 5'], undefined, 'below the apex'],
    [['S7', 'a.example TYPE65401 \\# 1 00'], undefined, 'no type of zones'],
    [['S7', 'a.example TYPE252 \\# 1 00'], undefined, 'no type of zones'],
    [
      ['S7', `a.example TXT ${'x'.repeat(250)}`].concat(
        Array(4).fill('b.example TXT '.padEnd(250, 'y')),
      ),
      undefined,
      'longer than 1000 bytes',
    ],
  ])('%j with %s is refused: %s', (texts, have, why) => {
    expect(() => take(texts, have)).toThrow(why);
  });

  test.each([
    ['A', 5],
    ['A', 0],
    ['AAAA', 4],
    ['MX', 2],
    ['SRV', 6],
    ['SOA', 21],
  ])('%s of %i bytes is refused', (mnemonic, bytes) => {
    const incoming = new Incoming({ origin, have: undefined, maxBytes: 1000 });
    incoming.take(recordOf('S7'));
    const record = {
      ...recordOf('S7'),
      type: typeCode(mnemonic) ?? 0,
      rdata: new Uint8Array(bytes),
    };
    expect(() => incoming.take(record)).toThrow(mnemonic);
  });

  test('of another class is refused', () => {
    const incoming = new Incoming({ origin, have: undefined, maxBytes: 1000 });
    expect(() => incoming.take({ ...recordOf('S7'), class: 3 })).toThrow('another class');
  });
});
