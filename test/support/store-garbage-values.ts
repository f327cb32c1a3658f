// What a hostile or broken writer may write: values, names and numbers that are likely to hurt.
export const MEGABYTE = 2 ** 20;

/** Values of an object; none of them is one that edgectl would write. */
export const VALUES: readonly string[] = [
  '',
  '{',
  'null',
  '[]',
  '"text"',
  '12',
  'true',
  '{}',
  '{"__proto__":{"private":"10.0.0.5"},"constructor":{"prototype":{"x":1}}}',
  '{"private":null,"targets":null,"pools":null,"soa":null,"at":null,"data":null,"lines":null}',
  '{"private":{"toString":1},"targets":{"length":5},"pools":{"length":1e9},"data":{"0":1}}',
  '{"targets":[null],"pools":[[]],"at":[{}],"data":[0],"lines":{"default":[]},"hosts":[1]}',
  '{"private":1e308,"in":-1,"out":1e999,"ttl":-1,"serialBase":1e99,"weight":-5,"port":70000}',
  '{"pool":"__proto__","listeners":["constructor"],"names":[{"name":"hasOwnProperty"}]}',
  '{"certificate":"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n"}',
  '\u0000\ud800\u2028',
  '['.repeat(100_000),
  `{"a":"${'x'.repeat(MEGABYTE)}"}`,
];

export const IDS: readonly string[] = [
  '',
  '__proto__',
  'constructor',
  'toString',
  '198.51.100.7',
  '10.9.0.0/24',
  'example.com',
  'www.example.com/A',
  '/A',
  'a'.repeat(64_000),
  '..'.repeat(200),
  '\u0000\n"',
  'www',
  'web',
  'all',
  '999.999.999.999/99',
];

export const COUNTS = ['-1', 'NaN', '1e308', '99999999999999999999', '', 'x', '9007199254740993'];
