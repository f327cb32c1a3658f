// What a site may be asked to be, and the nodes that follow from it.
import type { DaemonConfig } from './daemon.ts';
import type { Offloads } from './netns.ts';
import * as plan from './plan.ts';

export type SiteOptions = {
  isps?: number; // clients, one an ISP: telecom, unicom, mobile, isp-4, …; default 3, at most 8
  natters?: number; // default 2, at most 32; with none the inside is reached by its own addresses
  vms?: number; // default 3, at most 250
  dhcpds?: number; // default 0: VMs have static addresses; else they get them by DHCP
  dnses?: number; // default 0
  lbs?: number; // default 0; with some, VMs are their targets
  redis?: 'single' | 'replicated'; // replicated: two replicas and Sentinel; default single
  console?: boolean; // the page of the whole site, on a node of its own; default false
  spray?: boolean; // routers draw a natter per packet instead of per flow; default false
  arp?: 'real' | 'static'; // default real
  offloads?: Offloads; // default: the kernel's, so GSO and checksum offload are on
  insideMtu?: number; // of the natters' inside links; default 1500
  clientMtu?: number; // of the links between ToR and clients; default 1500. TCP still offers 1460
  uplinkVlan?: number; // the uplinks are VLAN devices; needs 8021q in the kernel
  daemons?: boolean; // Redis and the natters' daemons; default true. false: wires and BIRD only
  servers?: boolean; // HTTP and UDP echo in VMs and clients; default true
  natterConfig?: DaemonConfig; // laid over each natter's config file
  dhcpdConfig?: DaemonConfig; // laid over each dhcpd's
  dnsConfig?: DaemonConfig; // laid over each dns'
  lbConfig?: DaemonConfig; // laid over each lb's
  progress?: (what: string) => void; // told what is done now
  signal?: AbortSignal; // ends whatever the site is doing; `down()` still has to be called
};

export type SitePlan = {
  clients: plan.ClientPlan[];
  natters: plan.NatterPlan[];
  lbs: plan.EdgePlan[];
  dhcpds: plan.InsidePlan[];
  dnses: plan.InsidePlan[];
  vms: plan.InsidePlan[];
  /** Core, store and the like: what has its address from the start, whatever else there is. */
  fixed: plan.InsidePlan[];
};

/** Throws RangeError for a number that the lab has no room for. */
export function planSite(options: SiteOptions): SitePlan {
  const replicas = options.redis === 'replicated' ? [plan.STORE_2] : [];
  const page = options.console ? [plan.CONSOLE] : [];
  return {
    clients: numbers(options.isps ?? 3, plan.MAX_ISPS, 'isps').map(plan.planClient),
    natters: numbers(options.natters ?? 2, plan.MAX_NATTERS, 'natters', 0).map(plan.planNatter),
    lbs: numbers(options.lbs ?? 0, plan.MAX_LBS, 'lbs', 0).map(plan.planLb),
    dhcpds: numbers(options.dhcpds ?? 0, plan.MAX_DHCPDS, 'dhcpds', 0).map(plan.planDhcpd),
    dnses: numbers(options.dnses ?? 0, plan.MAX_DNSES, 'dnses', 0).map(plan.planDns),
    vms: numbers(options.vms ?? 3, plan.MAX_VMS, 'vms').map(plan.planVm),
    fixed: [plan.CORE, plan.STORE, ...replicas, ...page],
  };
}

function numbers(count: number, most: number, what: string, least = 1): number[] {
  if (!Number.isInteger(count) || count < least || count > most) {
    throw new RangeError(`${what}: ${count} is not between ${least} and ${most}`);
  }
  return Array.from({ length: count }, (_, index) => index + 1);
}
