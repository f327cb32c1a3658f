// What a client is told besides its address: each option from the nearest level that has it
// (reservation, matching classes, subnet, classes for everybody), in the order in which the client
// asks (RFC 2132 §9.8), each once. Pure.
import type { Ipv4 } from '../../shared/net/ipv4.ts';
import type { Reservation, Settings, Subnet } from '../plan/types.ts';
import type { Request } from '../wire/types.ts';
import type { Prepared } from './prepared.ts';
import { latin, maskOf, OPTION } from './query.ts';
import type { Levels, MatchedClasses } from './types.ts';

export type CodedOption = readonly [code: number, bytes: Uint8Array];

/** The part of a reply that is the same for all who ask alike. */
export type OptionRun = {
  mask: Uint8Array;
  options: readonly CodedOption[];
  nextServer: Ipv4 | undefined;
  serverName: string | undefined;
  bootFile: string | undefined;
};

/** The server says these itself, from what it knows; a plan cannot. */
const OWN_CODES: ReadonlySet<number> = new Set([
  0, 1, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 61, 80, 81, 82, 108, 118, 255,
]);
const FIELD_CODES: ReadonlySet<number> = new Set([OPTION.tftpServerName, OPTION.bootFileName]);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

type Asked = {
  prepared: Prepared;
  subnet: Subnet;
  classes: MatchedClasses;
  reservation: Reservation | undefined;
};

export function levelsOf({ subnet, classes, reservation }: Omit<Asked, 'prepared'>): Levels {
  const own: Settings[] = reservation === undefined ? [] : [reservation];
  return [...own, ...classes.matched, subnet, ...classes.defaults];
}

export function optionRun(asked: Asked, request: Request): OptionRun {
  const list = request.options.get(OPTION.parameterList);
  // Few clients have reservations, and each its own.
  if (asked.reservation !== undefined) return makeRun(asked, list);
  const wish = list === undefined ? '' : `:${latin(list)}`;
  const key = `${asked.subnet.id} ${asked.classes.signature}${wish}`;
  return asked.prepared.run(key, () => makeRun(asked, list));
}

function makeRun(asked: Asked, list: Uint8Array | undefined): OptionRun {
  const { subnet, reservation } = asked;
  const levels = levelsOf(asked);
  const values = valuesOf(levels);
  if (reservation?.hostname !== undefined && !reservation.options.has(OPTION.hostName)) {
    values.set(OPTION.hostName, encoder.encode(reservation.hostname));
  }
  if (subnet.ipv6OnlySeconds !== undefined && list !== undefined) {
    values.set(OPTION.ipv6Only, uint32(subnet.ipv6OnlySeconds));
  }
  const codes = list ?? [...values.keys()].filter((code) => !FIELD_CODES.has(code)).sort(byCode);
  const options: CodedOption[] = [];
  for (const code of new Set(codes)) {
    const bytes = values.get(code);
    if (bytes !== undefined) options.push([code, bytes]);
  }
  const field = (code: number): string | undefined => {
    const bytes = list?.includes(code) ? undefined : values.get(code);
    return bytes === undefined ? undefined : decoder.decode(bytes);
  };
  return {
    mask: levels.find(({ options }) => options.has(1))?.options.get(1) ?? maskBytes(subnet),
    options,
    nextServer: levels.find(({ nextServer }) => nextServer !== undefined)?.nextServer,
    // Wanted as options: there they are. Else in their fields, if the encoder finds them to fit.
    serverName: field(OPTION.tftpServerName),
    bootFile: field(OPTION.bootFileName),
  };
}

const byCode = (a: number, b: number): number => a - b;

/** The nearest of each; boot file and server name among them, whichever way a level has them. */
function valuesOf(levels: Levels): Map<number, Uint8Array> {
  const values = new Map<number, Uint8Array>();
  const add = (code: number, bytes: Uint8Array): void => {
    if (!values.has(code)) values.set(code, bytes);
  };
  for (const { options, serverName, bootFile } of levels) {
    if (serverName !== undefined) add(OPTION.tftpServerName, encoder.encode(serverName));
    if (bootFile !== undefined) add(OPTION.bootFileName, encoder.encode(bootFile));
    for (const [code, bytes] of options) if (!OWN_CODES.has(code)) add(code, bytes);
  }
  return values;
}

function maskBytes({ prefix }: Subnet): Uint8Array {
  return uint32(maskOf(prefix.bits));
}

export function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
