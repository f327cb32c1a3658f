// Every command of edgectl: what parsing, help and completion know. Code is loaded when it runs.

import type { Command, Flag, Positional } from './command.ts';
import { EXPLAIN_CLIENT, leases, vifs } from './commands-dhcp.ts';
import { dns, EXPLAIN_QUERY } from './commands-dns.ts';
import * as flag from './flags.ts';

const CHANGE: readonly Flag[] = [...flag.WAIT, flag.JSON_FLAG, ...flag.STORE];
const SHOW: readonly Flag[] = [flag.JSON_FLAG, ...flag.STORE];
const LOCAL: readonly Flag[] = [flag.SOCKET, flag.JSON_FLAG];
const KINDS_BY_LINE = [
  ['eip', 'forward', 'group', 'subnet', 'reservation', 'class', 'l3net'],
  ['zone', 'record', 'line', 'pool', 'override', 'node'],
];
const KINDS = KINDS_BY_LINE.flat();
const SERVICE: Flag = {
  name: 'service',
  value: 'NAME',
  help: 'which one, if the host runs several',
};

const ADDRESS: Positional = { name: 'ADDRESS' };
const NODE: Positional = { name: 'NODE' };
const NAME: Positional = { name: 'NAME' };

export const FAMILIES: Record<string, string> = {
  eip: 'Elastic IPs and their 1:1 mapping.',
  forward: 'Port forwards: one EIP for many machines.',
  limit: 'Bandwidth limits, of one EIP or shared by a group.',
  lease: 'DHCP leases, as the dhcpd on this host knows them.',
  vif: 'A VM on its own /30 of this host.',
  zone: 'DNS zones: what is served, and zone files.',
  line: 'Lines of clients (ISPs), as the dns on this host knows them.',
  health: 'Targets of pools: up, down, or what you say of them.',
};

const files: readonly Command[] = [
  {
    name: 'apply',
    summary: 'Makes the site as the files say; deletes only with --prune.',
    positionals: [],
    flags: [
      flag.FILES,
      { name: 'prune', help: 'delete what the files do not list, of the sections that they have' },
      flag.YES,
      flag.DRY_RUN,
      ...CHANGE,
    ],
    notes: [
      'The site as it will be is checked first; on any error, all are shown, nothing stored.',
      'Exit 0: stored and in force on every live instance. 1: an instance lags. 3: stored, but no',
      'instance is live. 78: the files are wrong.',
    ],
    example: 'edgectl apply -f site.yaml --prune',
    load: async () => (await import('./apply.ts')).apply,
  },
  {
    name: 'diff',
    summary: 'Shows what apply would change.',
    positionals: [],
    flags: [
      flag.FILES,
      { name: 'prune', help: 'as apply --prune would' },
      { ...flag.SOCKET, help: 'of a dhcpd, for live leases (default /run/edge/dhcpd.sock)' },
      flag.JSON_FLAG,
      ...flag.STORE,
    ],
    notes: [
      'Says which live leases would break, if a dhcpd on this host can be asked.',
      'Exit 0: nothing. 1: something. 2: trouble. 78: the files are wrong.',
    ],
    example: 'edgectl diff -f site.yaml --prune',
    troubleCode: 2,
    load: async () => (await import('./apply.ts')).diff,
  },
  {
    name: 'get',
    summary: 'Prints the stored objects. -o yaml can be applied again.',
    positionals: [
      { name: 'KIND', optional: true, choices: KINDS },
      { name: 'ID', optional: true },
    ],
    flags: [
      {
        name: 'output',
        short: 'o',
        value: 'FORM',
        choices: ['table', 'yaml', 'json'],
        help: 'default table',
      },
      ...SHOW,
    ],
    notes: [
      ...KINDS_BY_LINE.map((kinds, index) => {
        return index === 0 ? `KIND is one of ${kinds.join(', ')},` : `${kinds.join(', ')}.`;
      }),
      'Exit 1 when ID is not there. A node of another service than natter is SERVICE/NODE,',
      'a record NAME/TYPE, an override ADDRESS or ADDRESS/POOL.',
    ],
    example: 'edgectl get -o yaml > site.yaml',
    load: async () => (await import('./get.ts')).get,
  },
  {
    name: 'delete',
    summary: 'Deletes objects, by name or all that the files list.',
    positionals: [
      { name: 'KIND', optional: true, choices: KINDS },
      { name: 'ID', optional: true, many: true },
    ],
    flags: [flag.FILES, flag.YES, flag.DRY_RUN, ...CHANGE],
    notes: [
      'Deleting more than half of a kind asks to be confirmed. What is not there is no error.',
    ],
    example: 'edgectl delete forward 198.51.100.8:443/tcp',
    load: async () => (await import('./delete.ts')).deleteObjects,
  },
];

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

const cluster: readonly Command[] = [
  {
    name: 'status',
    summary: 'The services: instances, versions, drift.',
    positionals: [],
    flags: SHOW,
    notes: ['Exit 0: all live instances are up to date. 1: one drifts. 3: nothing runs.'],
    example: 'edgectl status',
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'nodes',
    summary: 'Every instance: state, what it applied, when it was last heard.',
    positionals: [],
    flags: [{ name: 'service', value: 'NAME', help: 'only this service' }, ...SHOW],
    notes: [
      'APPLIED is the version in force there, of the one that is stored; DRIFT is why it differs.',
    ],
    example: 'edgectl nodes --service natter',
    load: async () => (await import('./status.ts')).nodes,
  },
  {
    name: 'drain',
    summary: 'Takes all traffic off an instance and waits until it is drained.',
    positionals: [NODE],
    flags: [
      { name: 'timeout', value: 'TIME', help: 'how long draining may take (default 60s)' },
      SERVICE,
      ...CHANGE.filter((known) => known.name !== 'wait'),
    ],
    notes: ['The wish is stored: a node that restarts stays drained until undrain.'],
    example: 'edgectl drain natter-1',
    load: async () => (await import('./drain.ts')).drain,
  },
  {
    name: 'undrain',
    summary: 'Gives a drained instance its traffic back.',
    positionals: [NODE],
    flags: [
      { name: 'timeout', value: 'TIME', help: 'how long it may take (default 60s)' },
      SERVICE,
      ...CHANGE.filter((known) => known.name !== 'wait'),
    ],
    example: 'edgectl undrain natter-1',
    load: async () => (await import('./drain.ts')).undrain,
  },
  {
    name: 'confirm',
    summary: 'Says that a store that was wiped, or went back, is meant so.',
    positionals: [],
    flags: [
      { name: 'yes', help: 'do not ask' },
      { name: 'local', help: 'only the daemon on this host, also for a database that shrank' },
      flag.SOCKET,
      ...CHANGE,
    ],
    notes: [
      'Instances that hold more than such a store keep it, and say so as drift. Restoring Redis or',
      'applying the site file needs no confirm. Without --local the version of the store is raised',
      'over all that any instance holds, and each then takes the store as it is.',
    ],
    example: 'edgectl confirm',
    load: async () => (await import('./confirm.ts')).confirm,
  },
];

const insight: readonly Command[] = [
  {
    name: 'explain',
    summary: 'What becomes of a packet, a DHCP client or a DNS query, and why.',
    positionals: [{ name: 'FLOW|MAC|NAME', many: true }],
    flags: [
      ...EXPLAIN_CLIENT,
      ...EXPLAIN_QUERY,
      { ...flag.SOCKET, help: 'default /run/edge/natter.sock; MAC: dhcpd.sock, NAME: dns.sock' },
      flag.JSON_FLAG,
    ],
    notes: [
      'A MAC is a DHCP client, whose DISCOVER the dhcpd of this host decides on. NAME [TYPE] is',
      'what its dns answers: edgectl explain www.example.com AAAA --from 59.43.1.1. Else the',
      'program in the kernel is run on the packet.',
      'FLOW is "SOURCE[:PORT] > DESTINATION[:PORT][/PROTOCOL]"; quote it, or leave out the ">".',
      'PROTOCOL is tcp, udp, icmp, sctp, gre, esp or a number; without ports the default is icmp.',
      'A new MAC needs its place: edgectl explain 02:00:00:00:00:05 --link eth1, or --relay.',
    ],
    example: "edgectl explain '198.51.100.7:4242 > 203.0.113.5:443/tcp'",
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    name: 'trace',
    summary: 'Shows packets as the local natter sees them, until Ctrl-C.',
    positionals: [{ ...ADDRESS, optional: true }],
    flags: [
      { name: 'reason', value: 'NAME', help: 'only this way out, e.g. DROP_NO_FORWARD' },
      { name: 'pcap', value: 'FILE', help: 'write pcapng instead; - is stdout' },
      ...LOCAL,
    ],
    notes: ['Without ADDRESS and --reason every packet is a candidate: mind busy nodes.'],
    example: 'edgectl trace 198.51.100.7 --pcap - | wireshark -k -i -',
    load: async () => (await import('./trace.ts')).trace,
  },
  {
    name: 'doctor',
    summary: 'Checks host, store and cluster; says what to do.',
    positionals: [],
    flags: SHOW,
    notes: ['Exit 1 if a check fails; warnings alone are exit 0.'],
    example: 'edgectl doctor',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'completion',
    summary: 'Prints a completion script for the shell.',
    positionals: [{ name: 'SHELL', choices: ['bash'] }],
    flags: [],
    example: 'edgectl completion bash > /etc/bash_completion.d/edgectl',
    load: async () => (await import('./completion.ts')).completion,
  },
  {
    name: 'version',
    summary: 'Versions of edgectl, Node and the kernel.',
    positionals: [],
    flags: [flag.JSON_FLAG],
    example: 'edgectl version',
    load: async () => (await import('./version.ts')).version,
  },
];

export const COMMANDS: readonly Command[] = [
  ...files,
  ...eips,
  ...forwards,
  ...limits,
  ...leases,
  ...vifs,
  ...dns,
  ...cluster,
  ...insight,
];
