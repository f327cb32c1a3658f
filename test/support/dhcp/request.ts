// Messages of DHCP clients for tests, field by field (RFC 2131 §2), right unless told otherwise.
// Written apart from dhcpd/wire, which is measured with them.
import { address, concat, macBytes, u16, u32 } from '../packet.ts';

export type Bytes = Uint8Array | readonly number[];

/** As a test writes it: addresses as dotted quads, text as text. */
export type ClientFields = {
  op?: number;
  htype?: number;
  /** By default the length of `mac`. */
  hlen?: number;
  hops?: number;
  xid?: number;
  secs?: number;
  flags?: number;
  /** The broadcast flag. */
  broadcast?: boolean;
  ciaddr?: string;
  giaddr?: string;
  /** `02:00:00:00:00:01`; any number of pairs up to 16; empty: none. */
  mac?: string;
  sname?: Bytes;
  file?: Bytes;
  cookie?: number;
  /** Option 53; 0: none. */
  type?: number;
  clientId?: Bytes;
  requested?: string;
  serverId?: string;
  leaseSeconds?: number;
  hostName?: string;
  vendorClass?: string;
  /** Option 55. */
  ask?: readonly number[];
  /** Option 57. */
  maxBytes?: number;
  rapidCommit?: boolean;
  /** Option 118. */
  subnetSelection?: string;
  /** Option 82, as relayInfo() makes it; comes last, as relays put it there. */
  relay?: Bytes;
  /** Behind those above, in this order; put there as they are. */
  options?: readonly (readonly [code: number, bytes: Bytes])[];
  /** Instead of END; [] for none. */
  tail?: Bytes;
  /** Zeros behind END up to this length: 300, as clients of BOOTP's days send. */
  padTo?: number;
};

export const DEFAULT_MAC = '02:00:00:00:00:01';
export const DEFAULT_XID = 0x3903f326;
export const DEFAULT_ASK: readonly number[] = [1, 3, 6, 15, 28, 51, 58, 59];
const COOKIE = 0x63825363;

export const discover = (fields: ClientFields = {}): Uint8Array =>
  clientMessage({ type: 1, ask: DEFAULT_ASK, ...fields });
/** SELECTING names requested and serverId; INIT-REBOOT requested; RENEWING ciaddr. */
export const request = (fields: ClientFields = {}): Uint8Array =>
  clientMessage({ type: 3, ask: DEFAULT_ASK, ...fields });
export const decline = (fields: ClientFields = {}): Uint8Array =>
  clientMessage({ type: 4, ...fields });
export const release = (fields: ClientFields = {}): Uint8Array =>
  clientMessage({ type: 7, ...fields });
export const inform = (fields: ClientFields = {}): Uint8Array =>
  clientMessage({ type: 8, ask: DEFAULT_ASK, ...fields });

export function clientMessage(fields: ClientFields): Uint8Array {
  const mac = (fields.mac ?? DEFAULT_MAC) === '' ? [] : macBytes(fields.mac ?? DEFAULT_MAC);
  const message = concat(
    [fields.op ?? 1, fields.htype ?? 1, fields.hlen ?? mac.length, fields.hops ?? 0],
    u32(fields.xid ?? DEFAULT_XID),
    u16(fields.secs ?? 0),
    u16((fields.flags ?? 0) | (fields.broadcast ? 0x8000 : 0)),
    quad(fields.ciaddr),
    u32(0),
    u32(0),
    quad(fields.giaddr),
    field(Uint8Array.from(mac), 16),
    field(fields.sname ?? [], 64),
    field(fields.file ?? [], 128),
    u32(fields.cookie ?? COOKIE),
    ...optionsOf(fields).map(([code, bytes]) => option(code, bytes)),
    Uint8Array.from(fields.tail ?? [255]),
  );
  const padTo = fields.padTo ?? 300;
  return message.length >= padTo ? message : field(message, padTo);
}

/** One instance of an option; more than 255 bytes make several (RFC 3396). */
export function option(code: number, bytes: Bytes): Uint8Array {
  const all = Uint8Array.from(bytes);
  if (all.length <= 255) return concat([code, all.length], all);
  return concat(option(code, all.subarray(0, 255)), option(code, all.subarray(255)));
}

/** The value of option 82 (RFC 3046): sub-options of the numbers given. */
export function relayInfo(fields: {
  circuitId?: string;
  remoteId?: string;
  linkSelection?: string;
  serverOverride?: string;
  sub?: readonly (readonly [code: number, bytes: Bytes])[];
}): Uint8Array {
  return concat(
    ...(fields.circuitId === undefined ? [] : [option(1, text(fields.circuitId))]),
    ...(fields.remoteId === undefined ? [] : [option(2, text(fields.remoteId))]),
    ...(fields.linkSelection === undefined ? [] : [option(5, quad(fields.linkSelection))]),
    ...(fields.serverOverride === undefined ? [] : [option(11, quad(fields.serverOverride))]),
    ...(fields.sub ?? []).map(([code, bytes]) => option(code, bytes)),
  );
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function optionsOf(fields: ClientFields): (readonly [number, Bytes])[] {
  const options: (readonly [number, Bytes | undefined])[] = [
    [53, fields.type === undefined || fields.type === 0 ? undefined : [fields.type]],
    [61, fields.clientId],
    [50, fields.requested === undefined ? undefined : quad(fields.requested)],
    [54, fields.serverId === undefined ? undefined : quad(fields.serverId)],
    [51, fields.leaseSeconds === undefined ? undefined : u32(fields.leaseSeconds)],
    [12, fields.hostName === undefined ? undefined : text(fields.hostName)],
    [60, fields.vendorClass === undefined ? undefined : text(fields.vendorClass)],
    [55, fields.ask],
    [57, fields.maxBytes === undefined ? undefined : u16(fields.maxBytes)],
    [80, fields.rapidCommit ? [] : undefined],
    [118, fields.subnetSelection === undefined ? undefined : quad(fields.subnetSelection)],
    ...(fields.options ?? []),
    [82, fields.relay],
  ];
  return options.flatMap(([code, bytes]) => (bytes === undefined ? [] : [[code, bytes] as const]));
}

function quad(dotted: string | undefined): number[] {
  return u32(dotted === undefined ? 0 : address(dotted));
}

function field(bytes: Bytes, length: number): Uint8Array {
  const all = new Uint8Array(length);
  all.set(bytes);
  return all;
}
