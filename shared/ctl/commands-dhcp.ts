// The commands of DHCP: networks computed per VM, and a VM's interface on its host.

import type { Command, Positional } from './command.ts';
import * as flag from './flags.ts';

const VM: Positional = { name: 'ADDRESS' };

export const vifs: readonly Command[] = [
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
      'l3-<network in hex>. Again is no error, and takes over what changed. The VM speaks only with',
      'the MAC computed from ADDRESS (see l3addnet). Its route has protocol 158, for a routing',
      'daemon to export.',
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
