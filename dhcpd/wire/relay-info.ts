// Relay agent information, option 82 (RFC 3046): the sub-options a server decides by. What follows
// a sub-option that runs past the end is not read; of a repeated one the first counts. Pure.
import { type Ipv4, ipv4FromBytes } from '../../shared/net/ipv4.ts';
import type { Options } from './types.ts';

export const RELAY_INFO = 82;

export type RelayInfo = {
  /** Sub-option 1, at least a byte: the port that the client is on. */
  circuitId: Uint8Array | undefined;
  /** 2, at least a byte. */
  remoteId: Uint8Array | undefined;
  /** 5 (RFC 3527): stands for giaddr where a subnet is chosen. */
  linkSelection: Ipv4 | undefined;
  /** 6 (RFC 3993), at least a byte. */
  subscriberId: Uint8Array | undefined;
  /** 10 (RFC 5010): the client sent its message to the relay alone; undefined: not said. */
  isUnicast: boolean | undefined;
  /** 11 (RFC 5107): what option 54 says instead of the server's own address. */
  serverOverride: Ipv4 | undefined;
  /** 12 (RFC 6925), at least a byte: which relay it is. */
  relayId: Uint8Array | undefined;
  /** 19 (RFC 8357): replies go to the port that the relay sent from, instead of 67. */
  usesSourcePort: boolean;
  /** 151 (RFC 6607): type and identifier of the client's VPN. */
  virtualSubnet: Uint8Array | undefined;
  /** 152 (RFC 6607): a server that heeds 151 takes it out; we do not, and echo both. */
  hasVirtualSubnetControl: boolean;
};

/** Undefined: the message has no option 82. */
export function relayInfoOf({ options }: { options: Options }): RelayInfo | undefined {
  const bytes = options.get(RELAY_INFO);
  return bytes === undefined ? undefined : readRelayInfo(bytes);
}

export function readRelayInfo(bytes: Uint8Array): RelayInfo {
  const info: RelayInfo = {
    circuitId: undefined,
    remoteId: undefined,
    linkSelection: undefined,
    subscriberId: undefined,
    isUnicast: undefined,
    serverOverride: undefined,
    relayId: undefined,
    usesSourcePort: false,
    virtualSubnet: undefined,
    hasVirtualSubnetControl: false,
  };
  let at = 0;
  while (at + 2 <= bytes.length) {
    const end = at + 2 + (bytes[at + 1] ?? 0);
    if (end > bytes.length) break;
    take(info, bytes[at] ?? 0, bytes.subarray(at + 2, end));
    at = end;
  }
  return info;
}

function take(info: RelayInfo, code: number, value: Uint8Array): void {
  switch (code) {
    case 1:
      info.circuitId ??= identifier(value);
      break;
    case 2:
      info.remoteId ??= identifier(value);
      break;
    case 5:
      info.linkSelection ??= address(value);
      break;
    case 6:
      info.subscriberId ??= identifier(value);
      break;
    case 10:
      if (value.length === 1) info.isUnicast ??= ((value[0] ?? 0) & 0x80) !== 0;
      break;
    case 11:
      info.serverOverride ??= address(value);
      break;
    case 12:
      info.relayId ??= identifier(value);
      break;
    case 19:
      info.usesSourcePort = true;
      break;
    case 151:
      info.virtualSubnet ??= identifier(value);
      break;
    case 152:
      info.hasVirtualSubnetControl = true;
      break;
  }
}

/** An empty one names nothing: two ports that both have it are not the same port. */
function identifier(value: Uint8Array): Uint8Array | undefined {
  return value.length === 0 ? undefined : value;
}

/** 0.0.0.0 selects no link and is nobody's identifier. */
function address(value: Uint8Array): Ipv4 | undefined {
  const read = value.length === 4 ? ipv4FromBytes(value) : 0;
  return read === 0 ? undefined : read;
}
