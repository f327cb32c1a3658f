// Builds and takes down a VM's interface. Every step may be run again: after a crash half-way the
// same command finishes, and unplug removes whatever is there.
import { OperationalError } from '../../errors.ts';
import type { Ipv4 } from '../../net/ipv4.ts';
import { bridgeNameOf } from '../../net/vm-link.ts';
import { dropTables, linkLines, ruleset, sysctlsOf, type Vif } from './plan.ts';
import type { VifSystem } from './system.ts';

/** Marks the taps that plug made, so that unplug removes no others. */
const OWN_ALIAS = 'edge-vif';

type Link = { ifname: string; master?: string; ifalias?: string };

/** The rules come before the VM's device is on the bridge: it never speaks unchecked. */
export async function plug(system: VifSystem, vif: Vif, createTap: boolean): Promise<void> {
  const bridge = bridgeNameOf(vif.vm);
  const links = await linksOf(system);
  await ensureDevice(system, vif.device, links, createTap);
  refuseOtherBridge(vif, links);
  if (!links.some(({ ifname }) => ifname === bridge)) {
    await system.run('ip', ['link', 'add', 'name', bridge, 'type', 'bridge']);
  }
  for (const [path, value] of sysctlsOf(vif)) await system.sysctl(path, value);
  await releaseOthers(system, bridge, vif.device, links);
  await system.run('nft', ['-f', '-'], ruleset(vif));
  await system.run('ip', ['-batch', '-'], `${linkLines(vif).join('\n')}\n`);
}

/** False: nothing of it was there. */
export async function unplug(system: VifSystem, vm: Ipv4): Promise<boolean> {
  const bridge = bridgeNameOf(vm);
  const links = await linksOf(system);
  const taps = links.filter(({ master, ifalias }) => master === bridge && ifalias === OWN_ALIAS);
  const hadBridge = links.some(({ ifname }) => ifname === bridge);
  if (hadBridge) await system.run('ip', ['link', 'delete', 'dev', bridge]);
  for (const { ifname } of taps) await system.run('ip', ['link', 'delete', 'dev', ifname]);
  // Last: what is still on a device of the VM's stays kept to its address until then.
  await system.run('nft', ['-f', '-'], `${dropTables(vm).join('\n')}\n`);
  return hadBridge;
}

async function linksOf(system: VifSystem): Promise<Link[]> {
  const text = await system.run('ip', ['-json', 'link', 'show']);
  return JSON.parse(text) as Link[]; // iproute2's own document
}

async function ensureDevice(
  system: VifSystem,
  device: string,
  links: readonly Link[],
  createTap: boolean,
): Promise<void> {
  if (links.some(({ ifname }) => ifname === device)) return;
  if (!createTap) {
    throw new OperationalError('EDGE_CTL_VIF', `there is no device ${device}`, {
      remedy: 'start the VM first, or let plug make the device with --tap',
    });
  }
  await system.run('ip', ['tuntap', 'add', 'dev', device, 'mode', 'tap']);
  await system.run('ip', ['link', 'set', 'dev', device, 'alias', OWN_ALIAS]);
}

function refuseOtherBridge({ vm, device }: Vif, links: readonly Link[]): void {
  const master = links.find(({ ifname }) => ifname === device)?.master;
  if (master === undefined || master === bridgeNameOf(vm)) return;
  throw new OperationalError('EDGE_CTL_VIF', `${device} belongs to ${master} already`, {
    remedy: 'unplug what it is used for first',
  });
}

/** A /30 has one VM: what else is on its bridge is from an earlier plug with another device. */
async function releaseOthers(
  system: VifSystem,
  bridge: string,
  device: string,
  links: readonly Link[],
): Promise<void> {
  const others = links.filter(({ ifname, master }) => master === bridge && ifname !== device);
  for (const { ifname } of others) {
    await system.run('ip', ['link', 'set', 'dev', ifname, 'nomaster']);
  }
}
