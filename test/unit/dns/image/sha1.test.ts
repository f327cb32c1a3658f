import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nsec3Hash, Sha1 } from '../../../../dns/image/sha1.ts';
import { nameOf } from '../../../support/dns/resolve-rig.ts';
import { base32 } from '../../../support/dns/sign.ts';

const bytesOf = (words: Int32Array): Buffer => {
  const bytes = Buffer.alloc(20);
  words.forEach((word, index) => {
    bytes.writeInt32BE(word, 4 * index);
  });
  return bytes;
};

test('is node:crypto’s SHA-1, at every length around a block', () => {
  const sha1 = new Sha1();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      sha1.start();
      sha1.putAll(bytes);
      sha1.finish();
      expect(bytesOf(sha1.words)).toEqual(createHash('sha1').update(bytes).digest());
    }),
  );
});

test.each([
  ['example.', '0p9mhaveqvm6t7vbl5lop2u3t2rp3tom'],
  ['x.y.w.example.', '2vptu5timamqttgl4luu9kg21e0aor3s'],
  ['*.w.example.', 'r53bq7cc2uvmubfu5ocmm6pers9tk9en'],
])('RFC 5155 appendix A: the hash of %s', (name, expected) => {
  const salt = Uint8Array.of(0, 0xaa, 0xbb, 0xcc, 0xdd);
  const hash = new Int32Array(5);
  const wire = nameOf(name);
  nsec3Hash(wire, 0, wire.length, salt, 1, 4, 12, hash);
  expect(base32(bytesOf(hash))).toBe(expected);
});
