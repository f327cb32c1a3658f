// The sections of a site file for dhcpd: subnets, reservations, classes and l3nets as operators
// write them.
import { z } from 'zod';
import { ipv4Address, macAddress, name, written } from '../config/types.ts';
import { formatIpv4 } from '../net/ipv4.ts';
import { formatPrefix, prefixProblem } from '../net/prefix.ts';
import { type Hex, isHex, parseBytes } from './bytes.ts';
import { type ClassMatch, DEFAULT_ORDER, type DhcpClass, MAX_ORDER } from './class.ts';
import { type DhcpSettings, parseBootText } from './dhcp-settings.ts';
import { type L3Net, LEAST_MTU, MOST_MTU, parseL3Prefix } from './l3net.ts';
import { formatSeconds, leaseOf, leaseProblems, parseSeconds } from './lease-times.ts';
import { readOptionCodes, readWrittenOptions } from './options.ts';
import { formatPattern, type Pattern, parsePattern, parseWrittenPattern } from './pattern.ts';
import { formatPool, parsePool } from './pool.ts';
import { identityOf, ONE_IDENTITY, type Reservation } from './reservation.ts';
import {
  parseHostName,
  parseInterfaceName,
  parseSubnetPrefix,
  parseZone,
  type Subnet,
} from './subnet.ts';
import { parseHost } from './value.ts';

const same = (text: string) => text;
const host = written('the IPv4 address of a host, such as 192.0.2.1', parseHost, formatIpv4);
const subnetPrefix = written(
  'an IPv4 prefix of /8 to /32, such as 10.1.0.0/24',
  parseSubnetPrefix,
  formatPrefix,
  prefixProblem,
);
const l3Prefix = written(
  'an IPv4 prefix of /8 to /30, such as 10.64.0.0/16',
  parseL3Prefix,
  formatPrefix,
  prefixProblem,
);
const pool = written('addresses such as 10.1.0.10-10.1.0.200, or a prefix', parsePool, formatPool);
const seconds = written(
  'whole seconds such as 90s or 1h, or infinite',
  parseSeconds,
  formatSeconds,
);
const bootText = written('1 to 255 printable ASCII characters', parseBootText, same);
const zone = written('the name of a zone in lower case, such as vm.example', parseZone, same);
const hostname = written('the name of a host', parseHostName, same);
const interfaceName = written('the name of an interface, such as eth1', parseInterfaceName, same);

const leaseTimes = z.strictObject({
  default: seconds.optional(),
  min: seconds.optional(),
  max: seconds.optional(),
});
const lease = z.union([seconds, leaseTimes]).transform((given, context) => {
  const times = leaseOf(typeof given === 'number' ? { default: given } : said(given));
  for (const message of leaseProblems(times)) {
    context.issues.push({ code: 'custom', message, input: given });
  }
  return times;
});

const options = z.record(z.string(), z.unknown()).transform((given, context) => {
  const { options, problems } = readWrittenOptions(given);
  for (const { key, message, remedy } of problems) {
    const params = remedy === undefined ? {} : { params: { remedy } };
    context.issues.push({ code: 'custom', message, input: given, path: [key], ...params });
  }
  return options;
});

const bare = (text: string) => text.replaceAll(':', '').toLowerCase();
const bytesText = z.string().min(1).transform(parseBytes);
const bytesHex = z.strictObject({
  hex: z
    .string()
    .transform(bare)
    .refine((text) => text !== '' && isHex(text), 'must be hex digits'),
});
const bytes = z.union([bytesText, bytesHex]).transform((value): Hex => {
  return typeof value === 'string' ? value : value.hex;
});

const patternText = z.string().transform((text, context): Pattern => {
  const found = parseWrittenPattern(text);
  if (found !== undefined) return found;
  const message = `${JSON.stringify(text)} is not a text, with no * but at its end`;
  context.issues.push({ code: 'custom', message, input: text });
  return z.NEVER;
});
const patternHex = z.strictObject({
  hex: z
    .string()
    .transform(bare)
    .pipe(written('hex digits, with or without a * behind', parsePattern, formatPattern)),
});
const pattern = z.union([patternText, patternHex]).transform((value): Pattern => {
  return 'isPrefix' in value ? value : value.hex;
});
const patterns = z.record(z.string(), pattern).transform((given, context) => {
  const { codes, problems } = readOptionCodes(Object.keys(given));
  for (const { key, message } of problems) {
    context.issues.push({ code: 'custom', message, input: given, path: [key] });
  }
  const found = Object.entries(given).flatMap(([key, value]): [string, Pattern][] => {
    const code = codes.get(key);
    return code === undefined ? [] : [[code, value]];
  });
  return Object.fromEntries(found);
});

const settings = {
  options: options.optional(),
  nextServer: host.optional(),
  serverName: bootText.optional(),
  bootFile: bootText.optional(),
  lease: lease.optional(),
};

export const subnet = z.strictObject({
  subnet: subnetPrefix,
  pools: z.array(pool).default([]),
  network: name.optional(),
  relays: z.array(host).default([]),
  interface: interfaceName.optional(),
  ...settings,
  authoritative: z.boolean().default(true),
  rapidCommit: z.boolean().default(false),
  ipv6Only: seconds.optional(),
  ddns: z.strictObject({ zone }).optional(),
});

const identity = { mac: macAddress, clientId: bytes, circuitId: bytes };
export const reservation = z
  .strictObject({
    address: host,
    mac: identity.mac.optional(),
    clientId: identity.clientId.optional(),
    circuitId: identity.circuitId.optional(),
    hostname: hostname.optional(),
    ...settings,
  })
  .refine((item) => identityOf(item) !== undefined, ONE_IDENTITY);

const match = z.strictObject({
  vendorClass: pattern.optional(),
  userClass: pattern.optional(),
  architectures: z.array(z.int().min(0).max(65535)).optional(),
  options: patterns.optional(),
});
export const dhcpClass = z.strictObject({
  name,
  order: z.int().min(0).max(MAX_ORDER).default(DEFAULT_ORDER),
  match: match.optional(),
  ...settings,
});

export const l3net = z.strictObject({
  cidr: l3Prefix,
  host: name,
  dns: z.array(ipv4Address).default([]),
  mtu: z.int().min(LEAST_MTU).max(MOST_MTU).optional(),
});

type Given = { [K in keyof DhcpSettings]?: DhcpSettings[K] | undefined };

export function subnetOf(item: z.output<typeof subnet>): Subnet {
  const { subnet: prefix, pools, network, relays, authoritative, rapidCommit } = item;
  return {
    ...settingsOf(item),
    prefix,
    pools,
    relays,
    lease: item.lease ?? leaseOf({}),
    authoritative,
    rapidCommit,
    ...said({ network, interface: item.interface, ipv6OnlySeconds: item.ipv6Only }),
    ...said({ ddnsZone: item.ddns?.zone }),
  };
}

export function reservationOf(item: z.output<typeof reservation>): Reservation {
  const { address, hostname: called } = item;
  const who = identityOf(item);
  if (who === undefined) throw new TypeError('the schema lets exactly one identity through');
  return { ...settingsOf(item), address, identity: who, ...said({ hostname: called }) };
}

export function classOf(item: z.output<typeof dhcpClass>): DhcpClass {
  const found: DhcpClass = { ...settingsOf(item), name: item.name, order: item.order };
  if (item.match !== undefined) found.match = matchOf(item.match);
  return found;
}

function matchOf({ options: others, ...more }: z.output<typeof match>): ClassMatch {
  const isEmpty = others === undefined || Object.keys(others).length === 0;
  return { ...said(more), ...(isEmpty ? {} : { options: others }) };
}

export function l3netOf({ cidr, host: node, dns, mtu }: z.output<typeof l3net>): L3Net {
  return { cidr, host: node, dns, ...said({ mtu }) };
}

function settingsOf(item: Given): DhcpSettings {
  const { nextServer, serverName, bootFile, lease: times } = item;
  return {
    options: item.options ?? {},
    ...said({ nextServer, serverName, bootFile, lease: times }),
  };
}

type Said<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what is undefined. */
function said<T extends object>(fields: T): Said<T> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Said<T>; // the entries of T, some left out
}
