// GET /leases and POST /lease/release: leases as operators see them. Pages go by address through
// the blocks that Redis has, and show the records as this instance knows them.

import { setImmediate as turn } from 'node:timers/promises';
import { OperationalError } from '../../shared/errors.ts';
import { formatIpv4, type Ipv4 } from '../../shared/net/ipv4.ts';
import { formatMac, macFromBytes } from '../../shared/net/mac.ts';
import {
  addressIn,
  BLOCK_ADDRESSES,
  blockOf,
  encodeRecord,
  instanceId,
  packedKeyOf,
} from '../leases/record.ts';
import { CODE, type Details, type Item, type Lease, STATE } from '../leases/types.ts';
import type { DhcpdService } from '../service.ts';
import {
  address,
  badQuestion,
  type Fields,
  fieldsOf,
  fieldsOfQuery,
  limit,
  macBytes,
  text,
} from './question.ts';

const MOST = 1000;
/** Looked at in one go, about a millisecond: clients must not wait for an operator's question. */
const ADDRESSES_A_TURN = 4096;
const STATE_NAMES = Object.keys(STATE);

export type LeaseQuery = {
  address?: Ipv4;
  mac?: Uint8Array;
  state?: string;
  limit: number;
  after?: Ipv4;
};

export function readLeaseQuery(query: URLSearchParams): LeaseQuery {
  const fields = fieldsOfQuery(query);
  const state = text(fields, 'state');
  if (state !== undefined && !STATE_NAMES.includes(state)) {
    throw badQuestion(`state is none of ${STATE_NAMES.join(', ')}`);
  }
  return {
    ...optional('address', address(fields, 'address')),
    ...optional('mac', macBytes(fields, 'mac')),
    ...optional('state', state),
    ...optional('after', address(fields, 'after')),
    limit: limit(fields, MOST),
  };
}

function optional<K extends string, V>(name: K, value: V | undefined) {
  return (value === undefined ? {} : { [name]: value }) as { [name in K]?: V }; // just that field
}

export async function leasePage(dhcpd: DhcpdService, query: LeaseQuery): Promise<unknown> {
  const { found, next } = await search(dhcpd, query);
  const details = await detailsOf(dhcpd, found);
  return {
    node: dhcpd.options.config.node,
    now: dhcpd.book.nowSeconds(),
    ...(next === undefined ? {} : { next: formatIpv4(next) }),
    leases: found.map((lease, at) => leaseView(dhcpd, lease, details[at])),
  };
}

async function search(
  dhcpd: DhcpdService,
  query: LeaseQuery,
): Promise<{ found: Lease[]; next?: Ipv4 }> {
  const { book, options } = dhcpd;
  if (query.address !== undefined) {
    const lease = book.get(query.address);
    return { found: lease === undefined || !matches(lease, query) ? [] : [lease] };
  }
  const blocks = (await options.backend.blocks()).toSorted((a, b) => a - b);
  const found: Lease[] = [];
  let looked = 0;
  for (const one of addressesOf(blocks, query.after)) {
    if (++looked % ADDRESSES_A_TURN === 0) await turn();
    const lease = book.get(one);
    if (lease !== undefined && matches(lease, query)) found.push(lease);
    if (found.length >= query.limit) return { found, next: one };
  }
  return { found };
}

/** What instances keep in reserve would be a hundred lines that say nothing of clients. */
function matches(lease: Lease, { address, mac, state }: LeaseQuery): boolean {
  if (lease.state === STATE.unused) return false;
  const isMeant = state !== undefined || address !== undefined;
  if (lease.state === STATE.reserved && !isMeant) return false;
  if (state !== undefined && nameOf(lease) !== state) return false;
  return mac === undefined || Buffer.compare(lease.chaddr, mac) === 0;
}

function* addressesOf(blocks: readonly number[], after: Ipv4 | undefined): Generator<Ipv4> {
  for (const block of blocks) {
    if (after !== undefined && block < blockOf(after)) continue;
    for (let octet = 0; octet < BLOCK_ADDRESSES; octet++) {
      const one = addressIn(block, octet);
      if (after === undefined || one > after) yield one;
    }
  }
}

/** The client identifier (option 61, hex) that the lease goes by; undefined: it goes by the MAC. */
function clientIdOf({ key, hasLongKey }: Lease, details: Details | undefined): string | undefined {
  if (details?.clientId !== undefined) return details.clientId;
  const isById = !hasLongKey && key.length > 1 && key[0] === 1;
  return isById ? Buffer.from(key.subarray(1)).toString('hex') : undefined;
}

/** Of a MAC's newest lease: operators know MACs, and many clients go by another name. */
export async function clientIdOfMac(
  dhcpd: DhcpdService,
  mac: Uint8Array,
): Promise<string | undefined> {
  const { found } = await search(dhcpd, { mac, limit: MOST });
  const newest = found.toSorted((a, b) => b.boundAt - a.boundAt)[0];
  if (newest === undefined) return undefined;
  const [details] = await detailsOf(dhcpd, [newest]);
  return clientIdOf(newest, details);
}

async function detailsOf(
  { options }: DhcpdService,
  leases: readonly Lease[],
): Promise<(Details | undefined)[]> {
  const wanted = leases.filter(({ hasDetails }) => hasDetails);
  if (wanted.length === 0) return leases.map(() => undefined);
  try {
    const read = await options.backend.details(wanted.map((lease) => lease.address));
    return leases.map((lease) => read[wanted.indexOf(lease)]);
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return leases.map(() => undefined); // without the store, what the records say is all there is
  }
}

export function leaseView(dhcpd: DhcpdService, lease: Lease, details: Details | undefined) {
  const { hostname, circuitId, remoteId } = details ?? {};
  const clientId = clientIdOf(lease, details);
  const { toldUntil, holdUntil, boundAt, leaseSeconds, generation, instance } = lease;
  const isBound = lease.state === STATE.bound;
  const isOver = isBound && !dhcpd.book.isHeld(lease);
  return {
    address: formatIpv4(lease.address),
    state: isOver ? 'expired' : nameOf(lease),
    mac: formatBytes(lease.chaddr),
    ...(clientId === undefined ? {} : { clientId }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(circuitId === undefined ? {} : { circuitId }),
    ...(remoteId === undefined ? {} : { remoteId }),
    toldUntil,
    holdUntil,
    boundAt,
    leaseSeconds,
    generation,
    instance,
  };
}

/**
 * By generation, so that it is this lease and none that came meanwhile. `force`: another client may
 * have the address at once, though this one still believes in it.
 */
export async function releaseLease(dhcpd: DhcpdService, body: unknown): Promise<unknown> {
  const fields: Fields = fieldsOf(body);
  const wanted = address(fields, 'address');
  if (wanted === undefined) throw badQuestion('address is missing');
  const lease = dhcpd.book.get(wanted);
  const name = formatIpv4(wanted);
  if (lease === undefined || !(await free(dhcpd, lease, fields.force === true))) {
    throw new OperationalError('EDGE_DHCPD_NOT_HELD', `nobody holds ${name}`, {
      remedy: 'edgectl lease list',
    });
  }
  const view = leaseView(dhcpd, lease, undefined);
  const { mac } = view;
  dhcpd.options.log.info('lease-freed', `${name} was taken from ${mac}`, { address: name, mac });
  return { released: true, lease: view };
}

async function free(dhcpd: DhcpdService, lease: Lease, force: boolean): Promise<boolean> {
  if (lease.state !== STATE.bound && lease.state !== STATE.declined) return false;
  const { config, backend } = dhcpd.options;
  const instance = instanceId(config.node);
  const item: Item = {
    op: 'free',
    address: lease.address,
    record: encodeRecord({ ...lease, packedKey: packedKeyOf(lease), instance }),
    seconds: Math.floor(config.reuse / 1000),
    ...(force ? { force } : {}),
    event: {
      type: 'free',
      mac: formatBytes(lease.chaddr),
      keyHex: Buffer.from(lease.key).toString('hex'),
    },
  };
  const ran = await backend.run([item]);
  return !('fenced' in ran) && ran.results[0]?.code === CODE.done;
}

function nameOf({ state }: Lease): string {
  return STATE_NAMES.find((name) => STATE[name as keyof typeof STATE] === state) ?? `${state}`;
}

function formatBytes(bytes: Uint8Array): string {
  if (bytes.length === 6) return formatMac(macFromBytes(bytes));
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/..(?=.)/g, '$&:');
}
