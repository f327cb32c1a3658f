// The commands of natter: elastic IPs, port forwards, limits.

import type { Command, Flag, Positional } from './command.ts';
import * as flag from './flags.ts';

const CHANGE: readonly Flag[] = [...flag.WAIT, flag.JSON_FLAG, ...flag.STORE];
const SHOW: readonly Flag[] = [flag.JSON_FLAG, ...flag.STORE];
const LOCAL: readonly Flag[] = [flag.SOCKET, flag.JSON_FLAG];
const ADDRESS: Positional = { name: 'ADDRESS' };
const NAME: Positional = { name: 'NAME' };

const eips: readonly Command[] = [
  {
    name: 'eip add',
    summary: 'Adds an elastic IP; with PRIVATE, mapped 1:1 to that address.',
    positionals: [ADDRESS, { name: 'PRIVATE', optional: true }],
    flags: [
      ...flag.LIMITS,
      { name: 'group', value: 'NAME', help: 'shares the limit of this group' },
      flag.REPLACE,
      ...CHANGE,
    ],
    notes: ['Without PRIVATE the EIP serves port forwards only.'],
    example: 'edgectl eip add 198.51.100.7 10.0.0.5 --in 100mbit --out 50mbit',
    load: async () => (await import('./eip.ts')).add,
  },
  {
    name: 'eip del',
    summary: 'Deletes elastic IPs; their port forwards only with --forwards.',
    positionals: [{ ...ADDRESS, many: true }],
    flags: [{ name: 'forwards', help: 'delete their port forwards too' }, flag.YES, ...CHANGE],
    example: 'edgectl eip del 198.51.100.7',
    load: async () => (await import('./eip.ts')).del,
  },
  {
    name: 'eip list',
    summary: 'Lists elastic IPs, their mapping, limits and group.',
    positionals: [],
    flags: SHOW,
    example: 'edgectl eip list',
    load: async () => (await import('./eip.ts')).list,
  },
  {
    name: 'eip stats',
    summary: 'Packets and wire bytes, as the natter on this host metered them.',
    positionals: [{ ...ADDRESS, optional: true, many: true }],
    flags: [
      { name: 'all', help: 'add up all natters, by their admin ports; needs ADDRESS' },
      ...LOCAL,
      ...flag.STORE,
    ],
    notes: [
      'Each natter counts what it forwarded itself. --all asks those whose admin.listen is not on',
      'loopback; it names the others, and ends with 1 when one is missing in the sum.',
    ],
    example: 'edgectl eip stats --all 198.51.100.7',
    load: async () => (await import('./stats.ts')).stats,
  },
];

const forwards: readonly Command[] = [
  {
    name: 'forward add',
    summary: 'Forwards a port, or a range, of an elastic IP to a private address.',
    positionals: [{ name: 'FROM' }, { name: 'TO' }],
    flags: [flag.REPLACE, ...CHANGE],
    notes: ['FROM is EIP:PORT/tcp or EIP:FIRST-LAST/udp. TO names the first port of the range.'],
    example: 'edgectl forward add 198.51.100.8:443/tcp 10.0.0.6:8443',
    load: async () => (await import('./forward.ts')).add,
  },
  {
    name: 'forward del',
    summary: 'Deletes port forwards.',
    positionals: [{ name: 'FROM', many: true }],
    flags: [flag.YES, ...CHANGE],
    example: 'edgectl forward del 198.51.100.8:443/tcp',
    load: async () => (await import('./forward.ts')).del,
  },
  {
    name: 'forward list',
    summary: 'Lists port forwards.',
    positionals: [],
    flags: SHOW,
    example: 'edgectl forward list',
    load: async () => (await import('./forward.ts')).list,
  },
];

const limits: readonly Command[] = [
  {
    name: 'limit set',
    summary: 'Sets limits of one EIP; those not named stay. "none" takes one away.',
    positionals: [ADDRESS],
    flags: [...flag.LIMITS, ...CHANGE],
    notes: ['RATE is in bits per second: 100mbit, 1.5gbit. SIZE is in bytes: 256kb, 1mb.'],
    example: 'edgectl limit set 198.51.100.7 --in 100mbit --out 50mbit --burst 256kb',
    load: async () => (await import('./limit.ts')).set,
  },
  {
    name: 'limit clear',
    summary: 'Takes all limits of EIPs away; their group stays.',
    positionals: [{ ...ADDRESS, many: true }],
    flags: CHANGE,
    example: 'edgectl limit clear 198.51.100.7',
    load: async () => (await import('./limit.ts')).clear,
  },
  {
    name: 'limit group add',
    summary: 'Adds a group: one limit that all EIPs in it share.',
    positionals: [NAME],
    flags: [...flag.LIMITS, flag.REPLACE, ...CHANGE],
    example: 'edgectl limit group add gold --in 1gbit --out 1gbit --burst 1mb',
    load: async () => (await import('./limit.ts')).groupAdd,
  },
  {
    name: 'limit group del',
    summary: 'Deletes groups. No EIP may be in them.',
    positionals: [{ ...NAME, many: true }],
    flags: [flag.YES, ...CHANGE],
    example: 'edgectl limit group del gold',
    load: async () => (await import('./limit.ts')).groupDel,
  },
  {
    name: 'limit join',
    summary: 'Puts EIPs in a group. An EIP is in one group at most.',
    positionals: [NAME, { ...ADDRESS, many: true }],
    flags: CHANGE,
    example: 'edgectl limit join gold 198.51.100.7 198.51.100.8',
    load: async () => (await import('./limit.ts')).join,
  },
  {
    name: 'limit leave',
    summary: 'Takes EIPs out of their group.',
    positionals: [{ ...ADDRESS, many: true }],
    flags: CHANGE,
    example: 'edgectl limit leave 198.51.100.7',
    load: async () => (await import('./limit.ts')).leave,
  },
  {
    name: 'limit list',
    summary: 'Lists the limits of groups and EIPs.',
    positionals: [],
    flags: SHOW,
    example: 'edgectl limit list',
    load: async () => (await import('./limit.ts')).list,
  },
];

export const natter: readonly Command[] = [...eips, ...forwards, ...limits];
