// Every command of edgectl: what parsing, help and completion know. Code is loaded when it runs.

import type { Command, Flag, Positional } from './command.ts';
import { EXPLAIN_CLIENT, leases, vifs } from './commands-dhcp.ts';
import { dns, EXPLAIN_QUERY } from './commands-dns.ts';
import { EXPLAIN_REQUEST, lb } from './commands-lb.ts';
import { natter } from './commands-natter.ts';
import * as flag from './flags.ts';

const CHANGE: readonly Flag[] = [...flag.WAIT, flag.JSON_FLAG, ...flag.STORE];
const SHOW: readonly Flag[] = [flag.JSON_FLAG, ...flag.STORE];
const LOCAL: readonly Flag[] = [flag.SOCKET, flag.JSON_FLAG];
const KINDS_BY_LINE = [
  ['eip', 'forward', 'group', 'subnet', 'reservation', 'class', 'l3net'],
  ['zone', 'record', 'line', 'vserver', 'listener', 'route', 'certificate'],
  ['pool', 'override', 'node'],
];
const KINDS = KINDS_BY_LINE.flat();
const SERVICE: Flag = {
  name: 'service',
  value: 'NAME',
  help: 'which one, if the host runs several',
};

const ADDRESS: Positional = { name: 'ADDRESS' };
const NODE: Positional = { name: 'NODE' };

export const FAMILIES: Record<string, string> = {
  eip: 'Elastic IPs and their 1:1 mapping.',
  forward: 'Port forwards: one EIP for many machines.',
  limit: 'Bandwidth limits, of one EIP or shared by a group.',
  lease: 'DHCP leases, as the dhcpd on this host knows them.',
  vif: 'A VM on its own /30 of this host.',
  zone: 'DNS zones: what is served, and zone files.',
  line: 'Lines of clients (ISPs), as the dns on this host knows them.',
  health: 'Targets of pools: up, down, or what you say of them.',
  lb: 'Load balancing, as the lb on this host does it.',
  vserver: 'Virtual servers: ports of an address that a pool serves (L4).',
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
      'Says which live leases would break, and which open connections end, if a dhcpd or an lb on',
      'this host can be asked.',
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
        const end = index === KINDS_BY_LINE.length - 1 ? '.' : ',';
        return `${index === 0 ? 'KIND is one of ' : ''}${kinds.join(', ')}${end}`;
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
    flags: [
      flag.FILES,
      { name: 'with-records', help: 'of a zone: all its records, too' },
      flag.YES,
      flag.DRY_RUN,
      ...CHANGE,
    ],
    notes: [
      'Deleting more than half of a kind asks to be confirmed. What is not there is no error.',
      'A zone that has records in the store goes with them alone: --with-records.',
    ],
    example: 'edgectl delete forward 198.51.100.8:443/tcp',
    load: async () => (await import('./delete.ts')).deleteObjects,
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
      'over all that any instance holds, and each then takes the store as it is. --local is of',
      'natter; for another service --socket names its control socket.',
    ],
    example: 'edgectl confirm',
    load: async () => (await import('./confirm.ts')).confirm,
  },
];

const insight: readonly Command[] = [
  {
    name: 'explain',
    summary: 'What becomes of a packet, DHCP client, name or request, and why.',
    positionals: [{ name: 'FLOW|MAC|NAME|URL', many: true }],
    flags: [
      ...EXPLAIN_CLIENT,
      ...EXPLAIN_QUERY,
      ...EXPLAIN_REQUEST,
      {
        name: 'service',
        value: 'NAME',
        choices: ['natter', 'lb'],
        help: 'FLOW: whose program (default natter)',
      },
      { ...flag.SOCKET, help: 'default /run/edge/SERVICE.sock: dhcpd, dns, lb or natter' },
      flag.JSON_FLAG,
    ],
    notes: [
      'MAC: what dhcpd decides on its DISCOVER; a new one needs its place, --link or --relay.',
      'NAME [TYPE]: what dns answers. [METHOD] URL: to whom lb sends such a request.',
      'Else a FLOW, "SOURCE[:PORT] > DESTINATION[:PORT][/PROTOCOL]": the program in the kernel is',
      'run on such a packet. Quote it, or leave out the ">". PROTOCOL is tcp, udp, icmp, sctp,',
      'gre, esp or a number; without ports the default is icmp. All ask the daemon of this host.',
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
    flags: [...SHOW, { name: 'problems', help: 'only what is wrong' }],
    notes: ['Exit 1 if a check fails; warnings alone are exit 0.'],
    example: 'edgectl doctor',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'completion',
    summary: 'Prints a completion script for the shell.',
    positionals: [{ name: 'SHELL', choices: ['bash', 'zsh', 'fish'] }],
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
  ...natter,
  ...leases,
  ...vifs,
  ...dns,
  ...lb,
  ...cluster,
  ...insight,
];
