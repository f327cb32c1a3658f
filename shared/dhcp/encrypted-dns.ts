// Option 162 (RFC 9463 §5.1): resolvers that encrypt, by priority. Addresses and parameters are
// left out together: then the resolver is its name alone. Pure.
import { join } from '../bytes.ts';
import { addresses } from './addresses.ts';
import {
  type Codec,
  isRecord,
  isRefused,
  listOf,
  type Parsed,
  parseEach,
  quote,
  refuse,
  unknownFields,
  withLength,
} from './codec.ts';
import { domainName } from './domains.ts';
import { hexValue, parseHexValue } from './hex.ts';
import { u16 } from './scalars.ts';

const FIELDS = ['priority', 'name', 'addresses', 'params'];
const list = addresses();

/** `params` are the SvcParams of RFC 9460 in the form of the wire. */
export const encryptedDns: Codec = {
  what: 'a list of { priority: …, name: …, addresses: […], params: { hex: … } }',
  parse(value) {
    const items = listOf(value);
    return items.length === 0 ? refuse('the list is empty') : parseEach(items, parseInstance);
  },
  format(bytes) {
    const read: unknown[] = [];
    let at = 0;
    while (at < bytes.length) {
      const end = at + 2 + ((bytes[at] ?? 0) << 8) + (bytes[at + 1] ?? 0);
      if (at + 2 > bytes.length || end > bytes.length) return undefined;
      read.push(formatInstance(bytes.subarray(at + 2, end)));
      at = end;
    }
    return read.length === 0 || read.includes(undefined) ? undefined : read;
  },
};

function parseInstance(item: unknown): Parsed {
  if (!isRecord(item)) return refuse(`${quote(item)} is not { priority: …, name: …, … }`);
  const unknown = unknownFields(item, FIELDS);
  if (unknown.length > 0) return refuse(...unknown);
  const isNameOnly = item.addresses === undefined;
  if (isNameOnly && item.params !== undefined) return refuse('params need addresses');
  const parsed = parseEach(
    [
      u16({ min: 1 }).parse(item.priority),
      measured(domainName.parse(item.name)),
      ...(isNameOnly ? [] : [measured(list.parse(item.addresses))]),
      item.params === undefined ? { bytes: new Uint8Array(0) } : parseParams(item.params),
    ],
    (each) => each as Parsed, // they are what is listed above
  );
  if (isRefused(parsed)) return parsed;
  const { length } = parsed.bytes;
  return { bytes: join([Uint8Array.of(length >> 8, length), parsed.bytes]) };
}

function parseParams(value: unknown): Parsed {
  return parseHexValue(value) ?? refuse(`params: ${quote(value)} is not { hex: "…" }`);
}

function measured(parsed: Parsed): Parsed {
  if (isRefused(parsed)) return parsed;
  const bytes = withLength(parsed.bytes);
  return bytes === undefined ? refuse('more than 255 bytes of addresses') : { bytes };
}

function formatInstance(bytes: Uint8Array): unknown {
  const nameEnd = 3 + (bytes[2] ?? 0);
  if (bytes.length < 3 || nameEnd > bytes.length) return undefined;
  const priority = u16({ min: 1 }).format(bytes.subarray(0, 2));
  const name = domainName.format(bytes.subarray(3, nameEnd));
  if (priority === undefined || name === undefined) return undefined;
  if (nameEnd === bytes.length) return { priority, name };
  const addressesEnd = nameEnd + 1 + (bytes[nameEnd] ?? 0);
  if (addressesEnd > bytes.length) return undefined;
  const read = list.format(bytes.subarray(nameEnd + 1, addressesEnd));
  if (read === undefined) return undefined;
  const params = bytes.subarray(addressesEnd);
  return {
    priority,
    name,
    addresses: read,
    ...(params.length > 0 && { params: hexValue(params) }),
  };
}
