// A VM boots: it asks by DHCP, as a real one does, and any of the servers answers.
import type { Site } from '../site.ts';
import type { LabVm } from '../vm.ts';
import type { Check, Outcome, Step } from './step.ts';

/** What its client was told last. */
function told(site: Site, vm: LabVm): string {
  const last = vm.dhcpLog.match(/^bound .*$/gm)?.at(-1) ?? 'nothing was bound';
  const server = site.dhcpds.find(({ address }) => last.includes(`from ${address} `));
  return server ? last.replace(`from ${server.address}`, `from ${server.name}`) : last;
}

async function boots(site: Site, vm: LabVm): Promise<Outcome> {
  const { address } = vm;
  const began = performance.now();
  await vm.dhcp();
  const ms = Math.round(performance.now() - began);
  return { ok: vm.address === address, result: `${told(site, vm)}, ${ms} ms` };
}

async function allBoot(site: Site): Promise<Outcome> {
  const before = site.vms.map(({ address }) => address);
  const began = performance.now();
  await Promise.all(site.vms.map((vm) => vm.dhcp()));
  const ms = Math.round(performance.now() - began);
  const same = site.vms.filter(({ address }, at) => address === before[at]).length;
  const unique = new Set(site.vms.map(({ address }) => address)).size;
  const ok = same === site.vms.length && unique === same;
  return { ok, result: `${same} of ${site.vms.length} have their address again, ${ms} ms` };
}

export function leases(site: Site): Step | undefined {
  if (site.dhcpds.length === 0) return undefined;
  const servers = site.dhcpds.map(({ name }) => name).join(', ');
  const each = site.vms.slice(0, 2).map((vm): Check => {
    return { what: 'boots again', path: `${vm.name} > ${servers}`, run: () => boots(site, vm) };
  });
  const all = { what: 'all boot at once', path: `vm-1 … > ${servers}`, run: () => allBoot(site) };
  return { title: 'a VM boots, and gets its lease', checks: [...each, all] };
}
