// The commands of DHCP: networks computed per VM, and a VM's interface on its host.

import type { Command, Flag, Positional } from './command.ts';
import * as flag from './flags.ts';

const VM: Positional = { name: 'ADDRESS' };
const ADDRESS: Positional = { name: 'ADDRESS' };
const LOCAL: readonly Flag[] = [
  { ...flag.SOCKET, help: 'control socket of the daemon (default /run/edge/dhcpd.sock)' },
  flag.JSON_FLAG,
];

/** What a client of `explain MAC` brings along. */
export const EXPLAIN_CLIENT: readonly Flag[] = [
  { name: 'client-id', value: 'HEX', help: 'MAC: option 61 that the client sends' },
  { name: 'relay', value: 'ADDRESS', help: 'MAC: the relay (giaddr) that it is behind' },
  { name: 'circuit-id', value: 'HEX', help: 'MAC: the circuit that the relay names' },
  { name: 'link', value: 'LINK', help: 'MAC: the link of this host that it is on' },
  { name: 'requested', value: 'ADDRESS', help: 'MAC: the address that it asks for' },
];

export const leases: readonly Command[] = [
  {
    name: 'lease list',
    summary: 'Lists leases by address.',
    positionals: [],
    flags: [
      { name: 'mac', value: 'MAC', help: 'only of this client' },
      {
        name: 'state',
        value: 'STATE',
        choices: ['bound', 'free', 'reserved', 'declined'],
        help: 'only these; default all but reserved',
      },
      ...LOCAL,
    ],
    notes: [
      'EXPIRES is what the client was told; until HELD nobody else gets the address. A lease that',
      'is free keeps its client, who gets the address back while it lasts.',
    ],
    example: 'edgectl lease list --state bound',
    load: async () => (await import('./lease.ts')).list,
  },
  {
    name: 'lease show',
    summary: 'Shows everything known of one address.',
    positionals: [ADDRESS],
    flags: LOCAL,
    notes: ['Exit 1 when nobody ever had it.'],
    example: 'edgectl lease show 10.1.0.17',
    load: async () => (await import('./lease.ts')).show,
  },
  {
    name: 'lease release',
    summary: 'Takes a lease from its client, as if it had released it.',
    positionals: [ADDRESS],
    flags: [{ name: 'force', help: 'give it to others at once; else it rests a minute' }, ...LOCAL],
    notes: [
      'The client is not told, and uses the address until it renews: only for one that is gone.',
    ],
    example: 'edgectl lease release 10.1.0.17',
    load: async () => (await import('./lease.ts')).release,
  },
  {
    name: 'lease names',
    summary: 'Lists the names that leases have put into dns.',
    positionals: [{ name: 'ZONE', optional: true }],
    flags: LOCAL,
    notes: ['Of subnets with `ddns: { zone: … }`; without ZONE those of every zone.'],
    example: 'edgectl lease names vm.example',
    load: async () => (await import('./lease-names.ts')).names,
  },
  {
    name: 'lease history',
    summary: 'What happened to an address or a client, as far as the log goes.',
    positionals: [{ name: 'ADDRESS|MAC', optional: true }],
    flags: [{ name: 'limit', value: 'COUNT', help: 'the last so many (default 100)' }, ...LOCAL],
    example: 'edgectl lease history 10.1.0.17',
    load: async () => (await import('./lease.ts')).history,
  },
];

export const vifs: readonly Command[] = [
  {
    name: 'l3addnet',
    summary: 'Adds a prefix that is cut into /30s, one for each VM of a host.',
    positionals: [{ name: 'CIDR' }, { name: 'HOST' }, { name: 'DNS1' }, { name: 'DNS2' }],
    flags: [flag.REPLACE, ...flag.WAIT, flag.JSON_FLAG, ...flag.STORE],
    notes: [
      'Of each /30 the bridge has the second address and the VM the third; the MAC of the VM is',
      '02:30 and its address, so 10.64.0.6 is 02:30:0a:40:00:06. Only the dhcpd whose node is HOST',
      'answers, from the MAC alone: there are no leases. l3addnet is a program of its own, too.',
    ],
    example: 'edgectl l3addnet 10.64.0.0/16 compute-1 10.0.0.53 10.0.0.54',
    load: async () => (await import('./l3addnet.ts')).l3addnet,
  },
  {
    name: 'vif plug',
    summary: "Builds a VM's /30 on this host: bridge, address, route, anti-spoof rules.",
    positionals: [VM, { name: 'DEVICE' }],
    flags: [
      { name: 'block', value: 'CIDR', many: true, help: 'a network that the VM may not reach' },
      { name: 'tap', help: 'make DEVICE as a tap if it is not there' },
      flag.JSON_FLAG,
    ],
    notes: [
      "ADDRESS is the VM's: the third of its /30; the bridge has the second, and the name",
      'l3-<network in hex>. Again is no error, and takes over what changed. The VM speaks only',
      'with the MAC computed from ADDRESS (see l3addnet). Its route has protocol 158, for routing',
      'daemons to export.',
    ],
    example: 'edgectl vif plug 10.64.0.6 tap3 --block 10.0.0.0/16',
    load: async () => (await import('./vif/verbs.ts')).plug,
  },
  {
    name: 'vif unplug',
    summary: "Takes a VM's bridge, route and rules away; a tap only if plug made it.",
    positionals: [VM],
    flags: [flag.JSON_FLAG],
    notes: ['Not being there is no error.'],
    example: 'edgectl vif unplug 10.64.0.6',
    load: async () => (await import('./vif/verbs.ts')).unplug,
  },
];
