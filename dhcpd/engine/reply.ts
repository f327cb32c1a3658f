// Replies (RFC 2131 table 3): which fields and options each has. First those without which it means
// nothing, then what was asked for, in that order. Pure.
import { type Ipv4, ipv4ToBytes } from '../../shared/net/ipv4.ts';
import type { L3Answer } from '../l3/answer.ts';
import { type Reason, reasons } from '../reasons.ts';
import { MESSAGE, type Reply } from '../wire/types.ts';
import { l3Options } from './l3.ts';
import { renewalTimes } from './lease-time.ts';
import { fqdnReply } from './names.ts';
import { NO_ADDRESS, OPTION } from './query.ts';
import { type CodedOption, optionRun, uint32 } from './settings.ts';
import { subnetIn } from './subnet.ts';
import type { Context, Query, Scope, ServerIds } from './types.ts';

const TYPES = Object.values(MESSAGE).map((type) => Uint8Array.of(type));
const EMPTY = new Uint8Array(0);
const encoder = new TextEncoder();

export type Lease = { address: Ipv4; seconds: number };

export function offerReply(context: Context, scope: Scope, lease: Lease): Reply {
  return leaseReply(context, scope, MESSAGE.OFFER, lease);
}

/** RFC 8925 §3.3: no address, and for how long the client need not ask again. */
export function noAddressReply(context: Context, scope: Scope): Reply {
  return leaseReply(context, scope, MESSAGE.OFFER, { address: NO_ADDRESS, seconds: 0 });
}

export function ackReply(context: Context, scope: Scope, lease: Lease, isRapid: boolean): Reply {
  return leaseReply(context, scope, MESSAGE.ACK, lease, isRapid);
}

export function informReply(context: Context, scope: Scope, address: Ipv4): Reply {
  const { request } = context.query;
  const reply = leaseReply(context, scope, MESSAGE.ACK, { address: NO_ADDRESS, seconds: 0 });
  return { ...reply, request, ciaddr: address };
}

/** Rule 70: nothing but who, why, and what the client has to recognise it by. */
export function nakReply(query: Query, server: ServerIds, reason: Reason): Reply {
  const { request } = query;
  const options: CodedOption[] = [
    [OPTION.messageType, typeBytes(MESSAGE.NAK)],
    [OPTION.serverId, ipv4ToBytes(server.told)],
    [OPTION.message, encoder.encode(reasons[reason])],
  ];
  pushClientId(options, query);
  return {
    messageType: MESSAGE.NAK,
    request,
    ciaddr: NO_ADDRESS,
    yiaddr: NO_ADDRESS,
    siaddr: NO_ADDRESS,
    options,
    required: options.length,
  };
}

/** `seconds` 0: an INFORM's. */
export function l3Reply(query: Query, server: ServerIds, type: number, lease: Lease, l3: L3Answer) {
  const { request } = query;
  const { mask, options: own } = l3Options(l3);
  const options = head(type, server, mask, lease.seconds);
  pushClientId(options, query);
  const required = options.length;
  options.push(...own);
  const hasLease = lease.seconds > 0;
  return {
    messageType: type,
    request,
    ciaddr: type === MESSAGE.ACK ? request.ciaddr : NO_ADDRESS,
    yiaddr: hasLease ? lease.address : NO_ADDRESS,
    siaddr: NO_ADDRESS,
    options,
    required,
  } satisfies Reply;
}

function leaseReply(
  context: Context,
  scope: Scope,
  type: number,
  { address, seconds }: Lease,
  isRapid = false,
): Reply {
  const { plan, prepared, query } = context;
  const { request } = query;
  const { reservation, classes, network } = scope;
  const subnet = address === 0 ? scope.subnet : (subnetIn(plan, network, address) ?? scope.subnet);
  const run = optionRun({ prepared, subnet, classes, reservation }, request);
  const options = head(type, scope.server, run.mask, seconds);
  pushClientId(options, query);
  const selection = request.options.get(OPTION.subnetSelection);
  if (selection?.length === 4) options.push([OPTION.subnetSelection, selection]);
  if (isRapid) options.push([OPTION.rapidCommit, EMPTY]);
  const fqdn = seconds === 0 ? undefined : fqdnReply(query, { ...scope, subnet });
  if (fqdn !== undefined) options.push([OPTION.clientFqdn, fqdn]);
  const required = options.length;
  for (const option of run.options) options.push(option);
  return {
    messageType: type,
    request,
    // It goes there, so it has to be the client's: who selects an offer may claim anything.
    ciaddr: type === MESSAGE.ACK && request.ciaddr === address ? address : NO_ADDRESS,
    yiaddr: address,
    siaddr: run.nextServer ?? NO_ADDRESS,
    ...(run.serverName === undefined ? {} : { serverName: run.serverName }),
    ...(run.bootFile === undefined ? {} : { bootFile: run.bootFile }),
    options,
    required,
  };
}

/** Seconds 0: no lease, so no times. */
function head(type: number, server: ServerIds, mask: Uint8Array, seconds: number): CodedOption[] {
  const options: CodedOption[] = [
    [OPTION.messageType, typeBytes(type)],
    [OPTION.serverId, ipv4ToBytes(server.told)],
  ];
  if (seconds > 0) {
    options.push([OPTION.leaseTime, uint32(seconds)]);
    const times = renewalTimes(seconds);
    if (times !== undefined) {
      options.push([OPTION.renewalTime, uint32(times.t1)]);
      options.push([OPTION.rebindingTime, uint32(times.t2)]);
    }
  }
  options.push([OPTION.subnetMask, mask]);
  return options;
}

/** RFC 6842: as it came. */
function pushClientId(options: CodedOption[], { clientId }: Query): void {
  if (clientId !== undefined) options.push([OPTION.clientId, clientId]);
}

function typeBytes(type: number): Uint8Array {
  return TYPES[type - 1] ?? Uint8Array.of(type);
}
