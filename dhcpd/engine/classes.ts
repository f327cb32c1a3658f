// Which client classes a message belongs to: vendor class (option 60), user class (77, RFC 3004),
// architecture (93, RFC 4578) or any other option. Pure.
import type { BytePattern, ClassMatch, ClientClass } from '../plan/types.ts';
import type { Options, Request } from '../wire/types.ts';
import { OPTION } from './query.ts';
import type { MatchedClasses } from './types.ts';

const NONE: MatchedClasses = { matched: [], defaults: [], signature: '' };

export function matchClasses(classes: readonly ClientClass[], request: Request): MatchedClasses {
  if (classes.length === 0) return NONE;
  const matched: ClientClass[] = [];
  const defaults: ClientClass[] = [];
  let signature = '';
  for (const each of classes) {
    const isDefault = each.match === undefined;
    const matches = each.match === undefined || matchesClass(each.match, request.options);
    if (matches) (isDefault ? defaults : matched).unshift(each);
    signature += matches ? '1' : '0';
  }
  return { matched, defaults, signature };
}

export function matchesClass(match: ClassMatch, options: Options): boolean {
  const { vendorClass, userClass, architectures } = match;
  if (vendorClass !== undefined && !has(options, OPTION.vendorClass, vendorClass)) return false;
  if (userClass !== undefined && !hasUserClass(options, userClass)) return false;
  if (architectures !== undefined && !hasArchitecture(options, architectures)) return false;
  return match.options?.every(({ code, pattern }) => has(options, code, pattern)) ?? true;
}

function has(options: Options, code: number, pattern: BytePattern): boolean {
  const bytes = options.get(code);
  return bytes !== undefined && fits(bytes, pattern);
}

/** RFC 3004 has counted parts; iPXE and others send the bare text. Both are common. */
function hasUserClass(options: Options, pattern: BytePattern): boolean {
  const bytes = options.get(OPTION.userClass);
  if (bytes === undefined) return false;
  if (fits(bytes, pattern)) return true;
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + (bytes[at] ?? 0);
    if (end > bytes.length) return false;
    if (fits(bytes.subarray(at + 1, end), pattern)) return true;
    at = end;
  }
  return false;
}

function hasArchitecture(options: Options, wanted: readonly number[]): boolean {
  const bytes = options.get(OPTION.architecture) ?? new Uint8Array(0);
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    if (wanted.includes((bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0))) return true;
  }
  return false;
}

function fits(bytes: Uint8Array, { bytes: wanted, prefix }: BytePattern): boolean {
  if (prefix ? bytes.length < wanted.length : bytes.length !== wanted.length) return false;
  return wanted.every((byte, at) => bytes[at] === byte);
}
