// The lab's addresses: documentation ranges outside, 10/8 inside. Pure: numbers in; names,
// addresses and MACs out. Nodes are counted from 1, as in their names.

export const EIP_PREFIX = '198.51.100.0/24';
/** Of the lbs; not among the EIPs, which the natters announce as a whole. */
export const VIP_PREFIX = '198.18.0.0/24';
export const INSIDE_PREFIX = '10.0.0.0/16';
export const CORE_ADDRESS = '10.0.0.1';
export const STORE_ADDRESS = '10.0.0.2';
/** With a replicated Redis; the core has the third. */
export const STORE_2_ADDRESS = '10.0.0.3';
/** Every natter's announcement holds this address; the core's default route follows it. */
export const BEACON = '198.51.100.254';

export const TOR_AS = 65000;
export const CORE_AS = 65001;
export const NATTER_AS = 65100;
export const LB_AS = 65200;

/** Kernel table 100 + n of a router: the routes that natter n announces, for spraying. */
export const SPRAY_TABLE_BASE = 100;

const ISPS = ['telecom', 'unicom', 'mobile'];

const mac = (kind: number, index: number): string =>
  `02:ed:00:${[kind, index].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}:01`;

const MAC_KINDS = {
  client: 1,
  torClient: 2,
  torNatter: 3,
  uplink: 4,
  inside: 5,
  vm: 6,
  fixed: 7,
  dhcpd: 8,
  dns: 9,
  torLb: 10,
  lbUplink: 11,
  lbInside: 12,
};

export type ClientPlan = {
  name: string;
  address: string;
  mac: string;
  router: { address: string; mac: string; link: string };
  prefixLength: 27;
};

export function planClient(index: number): ClientPlan {
  const base = 32 * (index - 1);
  return {
    name: ISPS[index - 1] ?? `isp-${index}`,
    address: `203.0.113.${base + 2}`,
    mac: mac(MAC_KINDS.client, index),
    router: {
      address: `203.0.113.${base + 1}`,
      mac: mac(MAC_KINDS.torClient, index),
      link: `isp${index}`,
    },
    prefixLength: 27,
  };
}

export type NatterPlan = {
  index: number;
  name: string;
  uplink: { address: string; mac: string; prefixLength: 30 };
  router: { address: string; mac: string; link: string };
  inside: { address: string; mac: string; prefixLength: 16; port: string };
};

export function planNatter(index: number): NatterPlan {
  const base = 4 * (index - 1);
  return {
    index,
    name: `natter-${index}`,
    uplink: {
      address: `192.0.2.${base + 2}`,
      mac: mac(MAC_KINDS.uplink, index),
      prefixLength: 30,
    },
    router: {
      address: `192.0.2.${base + 1}`,
      mac: mac(MAC_KINDS.torNatter, index),
      link: `n${index}`,
    },
    inside: {
      address: `10.0.0.${10 + index}`,
      mac: mac(MAC_KINDS.inside, index),
      prefixLength: 16,
      port: `n${index}`,
    },
  };
}

/** A box between ToR and the inside: a natter or an lb. */
export type EdgePlan = NatterPlan;

export function planLb(index: number): EdgePlan {
  const base = 128 + 4 * (index - 1);
  return {
    index,
    name: `lb-${index}`,
    uplink: {
      address: `192.0.2.${base + 2}`,
      mac: mac(MAC_KINDS.lbUplink, index),
      prefixLength: 30,
    },
    router: {
      address: `192.0.2.${base + 1}`,
      mac: mac(MAC_KINDS.torLb, index),
      link: `l${index}`,
    },
    inside: {
      address: `10.0.0.${100 + index}`,
      mac: mac(MAC_KINDS.lbInside, index),
      prefixLength: 16,
      port: `l${index}`,
    },
  };
}

export type InsidePlan = { name: string; address: string; mac: string; port: string };

export const planVm = (index: number): InsidePlan => ({
  name: `vm-${index}`,
  address: `10.0.1.${index}`,
  mac: mac(MAC_KINDS.vm, index),
  port: `vm${index}`,
});

export const planDhcpd = (index: number): InsidePlan => ({
  name: `dhcpd-${index}`,
  address: `10.0.0.${200 + index}`,
  mac: mac(MAC_KINDS.dhcpd, index),
  port: `d${index}`,
});

export const planDns = (index: number): InsidePlan => ({
  name: `dns-${index}`,
  address: `10.0.0.${220 + index}`,
  mac: mac(MAC_KINDS.dns, index),
  port: `s${index}`,
});

/** What VMs get by DHCP. */
export const VM_POOL = '10.0.1.1-10.0.1.250';

export const CORE: InsidePlan = {
  name: 'core',
  address: CORE_ADDRESS,
  mac: mac(MAC_KINDS.fixed, 1),
  port: 'core',
};

export const STORE: InsidePlan = {
  name: 'store',
  address: STORE_ADDRESS,
  mac: mac(MAC_KINDS.fixed, 2),
  port: 'store',
};

export const STORE_2: InsidePlan = {
  name: 'store-2',
  address: STORE_2_ADDRESS,
  mac: mac(MAC_KINDS.fixed, 3),
  port: 'store2',
};

export const CONSOLE: InsidePlan = {
  name: 'console',
  address: '10.0.0.4',
  mac: mac(MAC_KINDS.fixed, 4),
  port: 'console',
};

/** Between ToR and core, in a site without natters. */
export const PLAIN = {
  prefixLength: 30,
  tor: { address: '192.0.2.253', mac: mac(MAC_KINDS.fixed, 5) },
  core: { address: '192.0.2.254', mac: mac(MAC_KINDS.fixed, 6) },
} as const;

export const MAX_ISPS = 8;
/** Of the uplinks' /24 the upper half is the lbs'. */
export const MAX_NATTERS = 32;
export const MAX_VMS = 250;
export const MAX_DHCPDS = 19;
export const MAX_DNSES = 20;
export const MAX_LBS = 20;
