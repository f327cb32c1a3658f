// What the bench asks and of which prefixes, held against what reads it.
import { expect, test } from 'vitest';
import { ednsOf } from '../../../../shared/dns/edns.ts';
import { decodeMessage } from '../../../../shared/dns/message.ts';
import { formatName } from '../../../../shared/dns/names.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { clientsOf, ecsQuery } from '../../../bench/dns/ecs-query.ts';
import { prefixTexts } from '../../../bench/dns/prefix-text.ts';
import { asStream, encodeQuestion } from '../../../bench/dns/question.ts';
import { generateList } from '../../../support/dns/lines-generate.ts';

const random = seededRandom(1);

const subnetIn = (prefix: string): string => {
  const [client] = clientsOf(`${prefix} telecom\n`);
  if (client === undefined) throw new Error('one prefix is one client');
  const message = decodeMessage(ecsQuery('a.example', client, random));
  expect(message.questions.map(({ name }) => formatName(name))).toEqual(['a.example.']);
  const [option] = ednsOf(message)?.options ?? [];
  expect(option?.code).toBe(8);
  return Buffer.from(option?.data ?? []).toString('hex');
};

test('a client subnet lies in its prefix, and is as long as resolvers send it', () => {
  expect(subnetIn('192.0.2.0/24')).toBe('00011800c00002');
  expect(subnetIn('10.0.0.0/8')).toMatch(/^000118000a[0-9a-f]{4}$/);
  expect(subnetIn('192.0.2.128/25')).toBe('00011800c00002');
  expect(subnetIn('2001:db8:1:2300::/56')).toBe('0002380020010db8000123');
});

test('a plain question has no OPT', () => {
  expect(decodeMessage(encodeQuestion('a.example', 7))).toMatchObject({ id: 7, additionals: [] });
  expect(asStream(Uint8Array.of(1, 2, 3))).toEqual(Buffer.of(0, 3, 1, 2, 3));
});

test('prefixes are text that is read back, none twice', () => {
  const list = generateList({ seed: 3, prefixes: 2000 });
  const texts = prefixTexts(list);
  expect(texts.size).toBeGreaterThan(1000);
  expect(texts.size).toBeLessThanOrEqual(2000);
  const rows = [...texts].map(([prefix, line]) => `${prefix} ${line}\n`);
  expect(clientsOf(rows.join(''))).toHaveLength(texts.size);
});
