// An object as an entry of its section in a site file: what readSite() takes back.
import { formatIpv4 } from '../net/ipv4.ts';
import { formatMac } from '../net/mac.ts';
import { formatPrefix } from '../net/prefix.ts';
import { formatRate, formatSize } from '../net/units.ts';
import { writtenBytes } from './bytes.ts';
import { type ClassMatch, DEFAULT_ORDER } from './class.ts';
import type { DhcpSettings } from './dhcp-settings.ts';
import type { Eip } from './eip.ts';
import { lineEntry, overrideEntry, poolEntry, recordEntry, zoneEntry } from './entry-dns.ts';
import { certificateEntry, listenerEntry, routeEntry, vserverEntry } from './entry-lb.ts';
import { type Entry, type EntryValue, listed, said } from './entry-value.ts';
import { formatForwardFrom, formatForwardTo } from './forward.ts';
import type { Group } from './group.ts';
import type { ObjectOf, SiteObject } from './kinds.ts';
import { formatSeconds, type LeaseSeconds, shortLease } from './lease-times.ts';
import { optionName, writtenOptions } from './options.ts';
import { writtenPattern } from './pattern.ts';
import { formatPool } from './pool.ts';

export type { Entry, EntryValue } from './entry-value.ts';

export function entryOf(item: SiteObject): Entry {
  switch (item.kind) {
    case 'eip':
      return eipEntry(item.object);
    case 'forward':
      return { from: formatForwardFrom(item.object), to: formatForwardTo(item.object) };
    case 'group':
      return { name: item.object.name, ...limitEntry(item.object) };
    case 'node': {
      const { name, drain, service } = item.object;
      return said({ name, service, drain: drain ? true : undefined });
    }
    case 'subnet':
      return subnetEntry(item.object);
    case 'reservation':
      return reservationEntry(item.object);
    case 'class':
      return classEntry(item.object);
    case 'l3net': {
      const { cidr, host, dns, mtu } = item.object;
      return said({ cidr: formatPrefix(cidr), host, dns: listed(dns.map(formatIpv4)), mtu });
    }
    case 'line':
      return lineEntry(item.object);
    case 'pool':
      return poolEntry(item.object);
    case 'override':
      return overrideEntry(item.object);
    case 'zone':
      return zoneEntry(item.object);
    case 'record':
      return recordEntry(item.object);
    case 'vserver':
      return vserverEntry(item.object);
    case 'listener':
      return listenerEntry(item.object);
    case 'route':
      return routeEntry(item.object);
    case 'certificate':
      return certificateEntry(item.object);
  }
}

function eipEntry(eip: Eip): Entry {
  const limit = limitEntry(eip);
  return said({
    address: formatIpv4(eip.address),
    private: eip.private === undefined ? undefined : formatIpv4(eip.private),
    limit: Object.keys(limit).length === 0 ? undefined : limit,
    group: eip.group,
    source: eip.source,
  });
}

function limitEntry({ inBitsPerSecond, outBitsPerSecond, burstBytes }: Omit<Group, 'name'>): Entry {
  return said({
    in: inBitsPerSecond === undefined ? undefined : formatRate(inBitsPerSecond),
    out: outBitsPerSecond === undefined ? undefined : formatRate(outBitsPerSecond),
    burst: burstBytes === undefined ? undefined : formatSize(burstBytes),
  });
}

function subnetEntry(subnet: ObjectOf['subnet']): Entry {
  const { ipv6OnlySeconds, ddnsZone } = subnet;
  return said({
    subnet: formatPrefix(subnet.prefix),
    pools: listed(subnet.pools.map(formatPool)),
    network: subnet.network,
    relays: listed(subnet.relays.map(formatIpv4)),
    interface: subnet.interface,
    ...settingsEntry(subnet, false),
    authoritative: subnet.authoritative ? undefined : false,
    rapidCommit: subnet.rapidCommit ? true : undefined,
    ipv6Only: ipv6OnlySeconds === undefined ? undefined : formatSeconds(ipv6OnlySeconds),
    ddns: ddnsZone === undefined ? undefined : { zone: ddnsZone },
  });
}

function reservationEntry(reservation: ObjectOf['reservation']): Entry {
  const { address, identity, hostname } = reservation;
  const who = identity.by === 'mac' ? formatMac(identity.mac) : writtenBytes(identity.hex);
  const settings = settingsEntry(reservation, true);
  return said({ address: formatIpv4(address), [identity.by]: who, hostname, ...settings });
}

function classEntry(found: ObjectOf['class']): Entry {
  const { name, order, match } = found;
  return said({
    name,
    order: order === DEFAULT_ORDER ? undefined : order,
    match: match === undefined ? undefined : matchEntry(match),
    ...settingsEntry(found, true),
  });
}

function matchEntry({ vendorClass, userClass, architectures, options }: ClassMatch): Entry {
  const others = Object.entries(options ?? {}).map(([code, pattern]) => {
    return [optionName(code), writtenPattern(pattern)];
  });
  return said({
    vendorClass: vendorClass === undefined ? undefined : writtenPattern(vendorClass),
    userClass: userClass === undefined ? undefined : writtenPattern(userClass),
    architectures,
    options: others.length === 0 ? undefined : Object.fromEntries(others),
  });
}

function settingsEntry(settings: DhcpSettings, isOptional: boolean) {
  const { lease, options, nextServer } = settings;
  return {
    lease: lease === undefined ? undefined : leaseEntry(lease, isOptional),
    options: Object.keys(options).length === 0 ? undefined : writtenOptions(options),
    nextServer: nextServer === undefined ? undefined : formatIpv4(nextServer),
    serverName: settings.serverName,
    bootFile: settings.bootFile,
  };
}

function leaseEntry(lease: LeaseSeconds, isOptional: boolean): EntryValue | undefined {
  const short = shortLease(lease, isOptional);
  if (short === undefined) return undefined;
  const { default: seconds, min, max } = short;
  if (seconds !== undefined && min === undefined && max === undefined)
    return formatSeconds(seconds);
  const text = (value: number | undefined) =>
    value === undefined ? undefined : formatSeconds(value);
  return said({ default: text(seconds), min: text(min), max: text(max) });
}
