// What a site of the lab is told by default: elastic IPs of its VMs, forwards, the names that each
// ISP's clients are answered in their own way, and what its lbs balance.
import { DNS_EIPS, dnsObjects } from './dns.ts';
import { lbObjects, wwwObjects } from './lb-objects.ts';
import type { Site } from './site.ts';

export const EIP = {
  first: '198.51.100.1',
  second: '198.51.100.2',
  shared: '198.51.100.3',
  third: '198.51.100.4',
};

/** The VMs that ISPs' clients are sent to, in the ISPs' order; the further ones share an EIP. */
export const OWN_VMS = [1, 2, 5] as const;
const OWN_EIPS = [EIP.first, EIP.second, EIP.third] as const;

/** Where clients find the VM of an ISP, by the ISP's place from 0: at its EIP, if there are any. */
export function vmAddress(site: Site, isp: number): string {
  const place = isp % OWN_VMS.length;
  const own = OWN_VMS[place] ?? 1;
  return (site.natters.length > 0 ? OWN_EIPS[place] : site.vm(own).address) ?? '';
}

/** Where clients find the name servers. */
export const dnsAddresses = (site: Site): string[] =>
  site.dnses.map(({ address }, at) => (site.natters.length > 0 ? DNS_EIPS[at] : '') || address);

/** The name that leads to VMs: www, unless that is the lbs'. */
export const vmName = (site: Site): string => (site.lbs.length > 0 ? 'vm' : 'www');

/** The VMs of which there have to be five. A sixth boots again and again, and serves nobody. */
const balanced = ({ vms, natters, dhcpds, dnses }: Site) => {
  return { vms: vms.slice(0, 5), natters, dhcpds, dnses };
};

/** For a site of five VMs or more, and whatever services it has. */
export const siteObjects = (site: Site): Record<string, unknown> => ({
  ...(site.natters.length > 0 ? eipObjects(site) : {}),
  ...servedObjects(site),
});

/** Three mapped VMs, one EIP that two further VMs share, and one each for the name servers. */
const eipObjects = (site: Site) => ({
  eips: [
    { address: EIP.first, private: site.vm(1).address },
    { address: EIP.second, private: site.vm(2).address },
    { address: EIP.third, private: site.vm(5).address },
    { address: EIP.shared },
    ...site.dnses.map(({ address }, index) => ({ address: DNS_EIPS[index], private: address })),
  ],
  forwards: [
    { from: `${EIP.shared}:8003/tcp`, to: `${site.vm(3).address}:80` },
    { from: `${EIP.shared}:8004/tcp`, to: `${site.vm(4).address}:80` },
    { from: `${EIP.shared}:53/udp`, to: `${site.vm(3).address}:7` },
  ],
});

/** What dns and lb serve. */
function servedObjects(site: Site): Record<string, unknown> {
  const own = {
    telecom: vmAddress(site, 0),
    unicom: vmAddress(site, 1),
    mobile: vmAddress(site, 2),
  };
  const parts: Record<string, unknown[]>[] = [];
  if (site.dnses.length > 0) parts.push(dnsObjects(own, vmName(site), dnsAddresses(site)));
  if (site.lbs.length > 0) parts.push(lbObjects(site.run, balanced(site)));
  if (site.dnses.length > 0 && site.lbs.length > 0) parts.push(wwwObjects());
  const sections = new Map<string, unknown[]>();
  for (const part of parts) {
    for (const [section, objects] of Object.entries(part)) {
      sections.set(section, [...(sections.get(section) ?? []), ...objects]);
    }
  }
  return Object.fromEntries(sections);
}
