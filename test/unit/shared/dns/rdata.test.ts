// Record data of every type: text and wire form, there and back, and what is refused. BIND's reader
// and dns-packet have the second opinion.
import { spawnSync } from 'node:child_process';
import { decode as decodePacket, type StringAnswer } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeMessage } from '../../../../shared/dns/message.ts';
import { formatName, parseName, ROOT } from '../../../../shared/dns/names.ts';
import {
  canonicalRdata,
  isDataType,
  RdataError,
  recordTypes,
  typeCode,
  typeName,
  typeOf,
} from '../../../../shared/dns/rdata.ts';
import { parseZone } from '../../../../shared/dns/zone/parse.ts';
import { needs, program } from '../../../support/skip.ts';
import { rdataCases, refusedCases } from './rdata-cases.ts';
import { wordsOf } from './words.ts';

const origin = parseName('example.com.') ?? ROOT;

function rowOf(mnemonic: string) {
  const code = typeCode(mnemonic);
  if (code === undefined) throw new RangeError(`no type ${mnemonic}`);
  return typeOf(code);
}

function wireOf(mnemonic: string, text: string): Uint8Array {
  return rowOf(mnemonic).parse(wordsOf(text) ?? [], origin);
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('the table', () => {
  test('has each code and each mnemonic once, and only types that zones may have', () => {
    const codes = recordTypes.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    for (const { code, mnemonic, rfc } of recordTypes) {
      expect(isDataType(code), mnemonic).toBe(true);
      expect(typeName(code)).toBe(mnemonic);
      expect(typeCode(mnemonic.toLowerCase())).toBe(code);
      expect(rfc).not.toBe('');
    }
  });

  test('has a case of every row', () => {
    const tried = new Set(rdataCases.map(([type]) => type));
    expect(recordTypes.map(({ mnemonic }) => mnemonic).filter((each) => !tried.has(each))).toEqual(
      [],
    );
  });

  test('knows types by number, and which of them are none of a zone', () => {
    expect(typeCode('TYPE1')).toBe(1);
    expect(typeCode('type65535')).toBe(65535);
    for (const wrong of ['TYPE65536', 'TYPE', 'TYPE-1', 'TYPE1e3', '', 'toString', 'NOSUCH']) {
      expect(typeCode(wrong), wrong).toBeUndefined();
    }
    for (const code of [0, 41, 128, 249, 250, 251, 252, 255, 65536]) {
      expect(isDataType(code), `${code}`).toBe(false);
    }
    expect(typeOf(65280)).toBe(typeOf(65280));
  });
});

describe('data', () => {
  test.each(rdataCases.map(([type, text, again = text]) => [type, text, again] as const))(
    '%s %s',
    (type, text, again) => {
      const row = rowOf(type);
      const wire = wireOf(type, text);
      const written = row.format(wire);
      if (again !== '' || text === '') expect(written).toBe(again);
      expect(hexOf(wireOf(type, written))).toBe(hexOf(wire));
      expect(row.format(wireOf(type, written))).toBe(written);
      const generic = `\\# ${wire.length} ${hexOf(wire)}`;
      expect(hexOf(wireOf(type, generic))).toBe(hexOf(wire));
      // A Buffer is what sockets hand out.
      expect(row.format(Buffer.from(wire))).toBe(written);
    },
  );

  test('of a whole zone file is the same: its scanner has words of its own', () => {
    const lines = rdataCases.map(([type, text], at) => `r${at} 60 IN ${type} ${text}\n`);
    const files = { read: () => lines.join(''), resolve: (_: string, path: string) => path };
    const { records, problems } = parseZone('zone', origin, files);
    expect(problems).toEqual([]);
    for (const [at, [type, text]] of rdataCases.entries()) {
      expect(hexOf(records.rdata(at)), `${type} ${text}`).toBe(hexOf(wireOf(type, text)));
    }
  });

  test.each(refusedCases)('%s %s is refused', (type, text, message) => {
    expect(() => wireOf(type, text)).toThrow(RdataError);
    expect(() => wireOf(type, text)).toThrow(message);
  });

  test('has exact bytes where the documents give them', () => {
    expect(hexOf(wireOf('LOC', '42 21 54 N 71 06 18 W -24m 30m'))).toBe(
      '003316138917' + '2dd0' + '70be' + '15f0' + '00988d20',
    );
    // RFC 9460 appendix D.2, figures 9 and 10.
    expect(hexOf(wireOf('SVCB', '16 foo. alpn="f\\\\\\\\oo\\\\,bar,h2"'))).toBe(
      '001003666f6f00' + '0001000c' + '08665c6f6f2c626172' + '026832',
    );
    const sorted = '16 foo. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1';
    expect(hexOf(wireOf('SVCB', sorted))).toBe(
      '001003666f6f00' +
        '0000000400010004' +
        '00010009026832' +
        '0568332d3139' +
        '00040004c0000201',
    );
    // RFC 4034 §4.3.
    expect(hexOf(wireOf('NSEC', 'host.example.com. A MX RRSIG NSEC TYPE1234'))).toBe(
      `04686f7374076578616d706c6503636f6d000006400100000003041b${'00'.repeat(26)}20`,
    );
  });

  test("of SVCB's values is the same, whichever way a scanner cuts them at quotation marks", () => {
    const cuts = [
      [{ text: 'alpn=h2,h3', quoted: false }],
      [{ text: 'alpn="h2,h3"', quoted: false }],
      [
        { text: 'alpn=', quoted: false },
        { text: 'h2,h3', quoted: true },
      ],
    ];
    const head = wordsOf('1 .') ?? [];
    for (const cut of cuts) {
      const wire = rowOf('SVCB').parse([...head, ...cut], origin);
      expect(rowOf('SVCB').format(wire)).toBe('1 . alpn="h2,h3"');
    }
    const stray = [...head, { text: 'h2', quoted: true }];
    expect(() => rowOf('SVCB').parse(stray, origin)).toThrow('a value without its parameter');
  });

  test('says where its names are, and which may be compressed', () => {
    const names = (type: string, text: string) => rowOf(type).names(wireOf(type, text));
    expect(names('A', '192.0.2.1')).toEqual([]);
    expect(names('SOA', 'a. b. 1 2 3 4 5')).toEqual([
      [0, true],
      [3, true],
    ]);
    expect(names('SRV', '1 2 3 a.')).toEqual([[6, false]]);
    expect(names('NAPTR', '1 2 "abc" "" "" a.')).toEqual([[10, false]]);
    expect(names('IPSECKEY', '1 3 2 a. AQID')).toEqual([[3, false]]);
    expect(names('IPSECKEY', '1 1 2 192.0.2.1 AQID')).toEqual([]);
    expect(names('AMTRELAY', '1 1 3 a.')).toEqual([[2, false]]);
    expect(names('HIP', '2 AA AQ== a. b.')).toEqual([
      [6, false],
      [9, false],
    ]);
    expect(() => rowOf('MX').names(Uint8Array.of(0))).toThrow(RdataError);
    expect(() => rowOf('MX').names(Uint8Array.of(0, 1, 2, 3))).toThrow(RdataError);
  });

  test('is compared without case in names of old types, and in nothing else', () => {
    const same = (type: string, one: string, other: string) =>
      hexOf(canonicalRdata(rowOf(type).code, wireOf(type, one))) ===
      hexOf(canonicalRdata(rowOf(type).code, wireOf(type, other)));
    expect(same('MX', '1 A.b.', '1 a.B.')).toBe(true);
    expect(same('SRV', '1 2 3 A.', '1 2 3 a.')).toBe(true);
    expect(same('NAPTR', '1 2 "S" "" "" A.', '1 2 "s" "" "" A.')).toBe(false);
    expect(same('RRSIG', 'A 8 2 1 2 1 1 E. AQID', 'A 8 2 1 2 1 1 e. AQID')).toBe(true);
    expect(same('NSEC', 'A. A', 'a. A')).toBe(false);
    expect(same('TXT', 'A', 'a')).toBe(false);
    expect(same('SVCB', '1 A.', '1 a.')).toBe(false);
    const buffer = Buffer.from(wireOf('NS', 'A.'));
    canonicalRdata(2, buffer);
    expect(hexOf(buffer)).toBe('014100'); // it was not changed
  });
});

describe('any bytes', () => {
  const types = recordTypes.map(({ code }) => code);

  test('are data, which comes back, or RdataError', () => {
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 60 }), (code, bytes) => {
        const row = typeOf(code);
        const text = orRdataError(() => row.format(bytes));
        if (text === undefined) return;
        row.names(bytes);
        const again = row.parse(wordsOf(text) ?? [], origin);
        expect(row.format(again)).toBe(text);
        // LOC can say 0 m in ten ways, and we in one.
        if (row.mnemonic !== 'LOC') expect(hexOf(again)).toBe(hexOf(bytes));
      }),
      { numRuns: 4000 },
    );
  });

  test('that were data and are cut off, or changed, are no crash', () => {
    const wires = rdataCases.map(([type, text]) => [type, wireOf(type, text)] as const);
    fc.assert(
      fc.property(fc.constantFrom(...wires), fc.nat(), fc.nat(255), ([type, wire], at, byte) => {
        const cut = wire.slice(0, at % (wire.length + 1));
        const changed = wire.slice();
        if (wire.length > 0) changed[at % wire.length] = byte;
        for (const each of [cut, changed]) {
          orRdataError(() => rowOf(type).format(each));
          orRdataError(() => rowOf(type).names(each));
          orRdataError(() => canonicalRdata(rowOf(type).code, each));
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('as text are data or RdataError', () => {
    const word = fc.record({
      text: fc.string({ unit: 'binary', maxLength: 12 }),
      quoted: fc.boolean(),
    });
    const words = fc.array(
      fc.oneof(
        word,
        fc
          .constantFrom(...rdataCases)
          .map(([, text]) => wordsOf(text)?.[0] ?? { text, quoted: false }),
      ),
      { maxLength: 9 },
    );
    fc.assert(
      fc.property(fc.constantFrom(...types), words, (code, tokens) => {
        const wire = orRdataError(() => typeOf(code).parse(tokens, origin));
        if (wire !== undefined) typeOf(code).format(wire);
      }),
      { numRuns: 4000 },
    );
  });

  function orRdataError<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof RdataError) return undefined;
      throw error;
    }
  }
});

describe('a second opinion', () => {
  /** BIND 9.18 knows neither our own type nor SVCB's newest key. */
  const notBind = /^ALIAS | ohttp/;

  function bindWire(type: string, text: string): string {
    const input = `IN ${type} ${text}\n`;
    const { stdout, stderr } = spawnSync('named-rrchecker', ['-u', '-o', 'example.com.'], {
      input,
    });
    if (stderr.length > 0) return stderr.toString();
    const words = stdout.toString().trim().split(/\s+/);
    return words
      .slice(words.indexOf('\\#') + 2)
      .join('')
      .toLowerCase();
  }

  test('of BIND: the same bytes, of what was read and of what is written', (context) => {
    needs(context, program('named-rrchecker'));
    const theirs: string[] = [];
    const mine: string[] = [];
    for (const [type, text] of rdataCases) {
      if (notBind.test(`${type} ${text}`)) continue;
      const wire = wireOf(type, text);
      const written = rowOf(type).format(wire);
      for (const each of new Set([text, written])) {
        theirs.push(`${type} ${each}: ${bindWire(type, each)}`);
        mine.push(`${type} ${each}: ${hexOf(wire)}`);
      }
    }
    expect(mine).toEqual(theirs);
  }, 30_000);

  test('of dns-packet, for names, addresses and texts', () => {
    const answers = ['A', 'AAAA', 'NS', 'CNAME', 'PTR', 'DNAME'].flatMap((type) =>
      rdataCases
        .filter(([of, text]) => of === type && !/[\\]|^::ffff:/.test(text))
        .map(([, text]) => ({ type, rdata: wireOf(type, text) })),
    );
    const message = encodeMessage({
      id: 1,
      flags: 0x8000,
      questions: [],
      answers: answers.map(({ type, rdata }) => {
        return { owner: origin, type: rowOf(type).code, class: 1, ttlSeconds: 1, rdata };
      }),
      authorities: [],
      additionals: [],
    });
    const seen = (decodePacket(Buffer.from(message)).answers ?? []) as StringAnswer[];
    expect(seen.map(({ type, data }) => `${type} ${data}`)).toEqual(
      answers.map(({ type, rdata }) => {
        const text = rowOf(type).format(rdata);
        return `${type} ${text.length > 1 ? text.replace(/\.$/, '') : text}`;
      }),
    );
    expect(formatName(origin)).toBe('example.com.');
  });
});
