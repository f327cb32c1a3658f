// Types of DNSSEC and of other keys and fingerprints, as rows of the table. Pure.
import { type Field, RdataError, type Row, row } from './fields.ts';
import {
  algorithm,
  base64,
  coveredType,
  hashedName,
  hex,
  salt,
  time,
  typeBitmap,
} from './fields-binary.ts';
import { name, numberOf, u8, u16, u32 } from './fields-scalar.ts';

const CERTIFICATES = {
  PKIX: 1,
  SPKI: 2,
  PGP: 3,
  IPKIX: 4,
  ISPKI: 5,
  IPGP: 6,
  ACPKIX: 7,
  IACPKIX: 8,
  URI: 253,
  OID: 254,
};

const key = (least: 0 | 1): Field[] => [
  u16('flags'),
  u8('protocol'),
  algorithm,
  base64('public key', least),
];

const signature = (signer: Field): Field[] => [
  coveredType,
  algorithm,
  u8('labels'),
  u32('original TTL'),
  time('expiration'),
  time('inception'),
  u16('key tag'),
  signer,
  base64('signature'),
];

/** Whether a digest has the length that its type, told by the byte at `at`, gives it. */
function digestOf(at: number, from: number, lengths: Readonly<Record<number, number>>) {
  return (rdata: Uint8Array) => {
    const kind = rdata[at] ?? 0;
    const [wanted, has] = [lengths[kind], rdata.length - from];
    if (wanted === undefined || wanted === has) return;
    throw new RdataError(`a digest of type ${kind} has ${wanted} bytes, not ${has}`);
  };
}

const signerFields: Field[] = [u16('key tag'), algorithm, u8('digest type'), hex('digest')];
const signerDigest = digestOf(3, 4, { 1: 20, 2: 32, 3: 32, 4: 48 });
const associations = (): Field[] => [
  u8('certificate usage'),
  u8('selector'),
  u8('matching type'),
  hex('certificate association data'),
];
const associated = digestOf(2, 3, { 1: 32, 2: 64 });

function zoneDigest(rdata: Uint8Array): void {
  digestOf(5, 6, { 1: 48, 2: 64 })(rdata);
  if (rdata.length < 18) throw new RdataError('the digest has fewer than 12 bytes');
}

/** A key without a key says so in its flags (RFC 2535 §3.1.2). */
function keyOrNone(rdata: Uint8Array): void {
  const isNone = (numberOf(rdata.subarray(0, 2)) & 0xc000) === 0xc000;
  if (isNone || rdata.length > 4) return;
  throw new RdataError('the public key is missing');
}

export const dnssecTypes: readonly Row[] = [
  row('SIG', 2535, signature(name('signer', 'received'))),
  row('KEY', 2535, key(0), keyOrNone),
  row('CERT', 4398, [u16('type', CERTIFICATES), u16('key tag'), algorithm, base64('certificate')]),
  row('DS', 4034, signerFields, signerDigest),
  row(
    'SSHFP',
    4255,
    [u8('algorithm'), u8('fingerprint type'), hex('fingerprint')],
    digestOf(1, 2, { 1: 20, 2: 32 }),
  ),
  row('RRSIG', 4034, signature(name('signer'))),
  row('NSEC', 4034, [name('next name'), typeBitmap(1)]),
  row('DNSKEY', 4034, key(1)),
  row('DHCID', 4701, [base64('identifier')]),
  row('NSEC3', 5155, [
    u8('hash algorithm'),
    u8('flags'),
    u16('iterations'),
    salt,
    hashedName,
    typeBitmap(0),
  ]),
  row('NSEC3PARAM', 5155, [u8('hash algorithm'), u8('flags'), u16('iterations'), salt]),
  row('TLSA', 6698, associations(), associated),
  row('SMIMEA', 8162, associations(), associated),
  row('RKEY', 'draft-reid-dnsext-rkey', key(1)),
  row('CDS', 7344, signerFields, (rdata) => {
    if (rdata.length !== 5 || rdata.some((byte) => byte !== 0)) signerDigest(rdata);
  }),
  row('CDNSKEY', 7344, key(1)),
  row('OPENPGPKEY', 7929, [base64('key')]),
  row('CSYNC', 7477, [u32('serial'), u16('flags'), typeBitmap(0)]),
  row(
    'ZONEMD',
    8976,
    [u32('serial'), u8('scheme'), u8('hash algorithm'), hex('digest')],
    zoneDigest,
  ),
  row('TA', 'INI1999-19', signerFields, signerDigest),
  row('DLV', 4431, signerFields, signerDigest),
];
