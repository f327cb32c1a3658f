// `vif plug|unplug`: a VM's own /30 on this host.
import { formatIpv4, type Ipv4, parseIpv4 } from '../../net/ipv4.ts';
import { formatMac } from '../../net/mac.ts';
import { formatPrefix, type Ipv4Prefix, parsePrefix, prefixProblem } from '../../net/prefix.ts';
import { bridgeNameOf, macOfVm, vmLinkOf } from '../../net/vm-link.ts';
import { type Arguments, type Run, UsageError } from '../command.ts';
import { EXIT } from '../exit.ts';
import { plug as plugVif, unplug as unplugVif } from './plug.ts';
import { vifSystem } from './system.ts';

export const plug: Run = async ({ out }, args) => {
  const vm = vmOf(args);
  const device = args.positionals[1] ?? '';
  if (!/^[^\s/:"]{1,15}$/.test(device)) throw new UsageError(`"${device}" is no link's name`);
  const blocked = (args.lists.get('block') ?? []).map(blockedPrefix);
  await plugVif(vifSystem, { vm, device, blocked }, args.switches.has('tap'));
  const identity = {
    address: formatIpv4(vm),
    mac: formatMac(macOfVm(vm)),
    gateway: formatIpv4(vmLinkOf(vm).gateway),
    bridge: bridgeNameOf(vm),
    device,
    blocked: blocked.map(formatPrefix),
  };
  if (args.switches.has('json')) await out.line(JSON.stringify(identity));
  else {
    const { address, mac, gateway, bridge } = identity;
    await out.line(`${address} plugged: ${device} on ${bridge}, gateway ${gateway}, MAC ${mac}`);
  }
  return EXIT.ok;
};

export const unplug: Run = async ({ out }, args) => {
  const vm = vmOf(args);
  const wasThere = await unplugVif(vifSystem, vm);
  const address = formatIpv4(vm);
  if (args.switches.has('json')) await out.line(JSON.stringify({ address, wasThere }));
  else await out.line(wasThere ? `${address} unplugged` : `${address} was not plugged`);
  return EXIT.ok;
};

/** Throws UsageError. */
function vmOf(args: Arguments): Ipv4 {
  const text = args.positionals[0] ?? '';
  const address = parseIpv4(text);
  if (address === undefined) throw new UsageError(`ADDRESS "${text}" is no IPv4 address`);
  const { vm } = vmLinkOf(address);
  if (vm === address) return address;
  throw new UsageError(`${text} is not a VM's: the VM of its /30 is ${formatIpv4(vm)}`);
}

function blockedPrefix(text: string): Ipv4Prefix {
  const parsed = parsePrefix(text);
  if (parsed?.family === 4) return parsed;
  throw new UsageError(prefixProblem(text) ?? `"${text}" is not IPv4`);
}
