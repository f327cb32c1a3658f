// The table of options, and the options of a site file.
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../../shared/bytes.ts';
import {
  codeOfKey,
  optionByCode,
  optionNames,
  optionTable,
  refusalOf,
} from '../../../../shared/dhcp/option-table.ts';
import { formatOptions, parseOptions } from '../../../../shared/dhcp/options.ts';

describe('the table', () => {
  test('has each code and each name once, and nothing that is not a code', () => {
    const codes = optionTable.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    const names = optionTable.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(optionNames).size).toBe(names.length);
    for (const code of codes) expect(code > 0 && code < 255).toBe(true);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    for (const { rfc } of optionTable) expect(rfc).toMatch(/^RFC \d{4}$|^private use$/);
  });

  test('has all of RFC 2132, and no code of the gaps of RFC 3679', () => {
    for (let code = 1; code <= 76; code++) expect(optionByCode(code), `${code}`).toBeDefined();
    const gaps = [84, 96, 102, 107, 110, 111, 115, 126, 127, 149, 163, 174, 178, 207, 222, 223];
    for (const code of gaps) expect(optionByCode(code), `${code}`).toBeUndefined();
  });

  test('says of each key which code it is', () => {
    expect(['routers', 'router', '3', '254', '1'].map(codeOfKey)).toEqual([3, 3, 3, 254, 1]);
    const wrong = ['0', '255', '03', '-1', '1.5', '', 'Routers', 'toString', '__proto__'];
    expect(wrong.map(codeOfKey)).toEqual(wrong.map(() => undefined));
  });

  test('refuses what is not an operator to say, and nothing that is', () => {
    const own = [0, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 61, 80, 82, 118, 255];
    for (const code of own) expect(refusalOf(code), `${code}`).toBeDefined();
    for (const code of [1, 3, 6, 12, 28, 43, 60, 66, 67, 121, 150, 252]) {
      expect(refusalOf(code), `${code}`).toBeUndefined();
    }
  });
});

describe('options of a site file', () => {
  test('names, aliases and codes together', () => {
    const { values, problems } = parseOptions({
      router: ['10.0.0.1'],
      6: '10.0.0.2',
      'domain-name': 'a',
    });
    expect(problems).toEqual([]);
    expect([...values].sort().map(([code, bytes]) => [code, toHex(bytes)])).toEqual([
      [15, '61'],
      [3, '0a000001'],
      [6, '0a000002'],
    ]);
    const written = formatOptions(values);
    expect(written).toEqual({
      routers: ['10.0.0.1'],
      'domain-name-servers': ['10.0.0.2'],
      'domain-name': 'a',
    });
    expect(new Map([...parseOptions(written).values].sort())).toEqual(new Map([...values].sort()));
  });

  test('every problem is told, and where', () => {
    const { values, problems } = parseOptions({
      'domain-name-server': ['10.0.0.1'],
      qwertyuiop: 1,
      255: { hex: '' },
      routers: ['a', 'b'],
      3: ['10.0.0.1'],
      'lease-time': 60,
      'ntp-servers': ['10.0.0.9'],
    });
    expect([...values.keys()]).toEqual([3, 42]);
    const said = problems.map(({ key, message, remedy }) => [key, message, remedy].join(' | '));
    expect(said.sort()).toEqual([
      '255 | there is no option "255" | codes are from 1 to 254',
      'domain-name-server | there is no option "domain-name-server" | did you mean "domain-name-servers"?',
      'lease-time | option 51 cannot be configured: the server says it itself | write lease',
      'qwertyuiop | there is no option "qwertyuiop" | write its code as the key and { hex: "…" } as its value',
      'routers | routers and 3 are the same option | ',
    ]);
  });
});
