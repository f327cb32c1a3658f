// `npm start -- --host`: the settings of each service and its site objects, from deploy/examples,
// with the few values laid over that make them harmless here: loopback, one private store, files in
// one directory, no targets that would be probed outside.
import { basename, join } from 'node:path';
import { z } from 'zod';
import { loadConfig } from '../../shared/config/load.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'deploy', 'examples');
export const WWW = 'www.example.com';

export type Ports = { dns: number; lb: number; console: number; admin: Record<string, number> };
export type Settings = Record<string, unknown>;
export type HostPlan = { directory: string; storeUrl: string; ports: Ports; link?: string };

const mapping = z.record(z.string(), z.unknown());
const sections = z.record(z.string(), z.array(mapping));

const example = (name: string): Settings =>
  loadConfig({ file: join(EXAMPLES, name), schema: mapping });

/** A site file, section by section. */
const siteExample = (name: string): Record<string, Settings[]> =>
  loadConfig({ file: join(EXAMPLES, name), schema: sections });

/** In which order they start; natter and dhcpd only with a link that they may have. */
export const servicesOf = ({ link }: HostPlan): string[] => [
  'dns',
  'lb',
  ...(link === undefined ? [] : ['natter', 'dhcpd']),
  'console',
];

const common = ({ directory, storeUrl, ports }: HostPlan, service: string): Settings => ({
  node: 'here',
  store: storeUrl,
  stateDirectory: join(directory, service),
  admin: { listen: `127.0.0.1:${ports.admin[service]}` },
  control: { socket: join(directory, `${service}.sock`) },
});

/** What is laid over the example of a service. */
function overlay(plan: HostPlan, service: string): Settings {
  const { directory, ports, link } = plan;
  switch (service) {
    case 'dns':
      return {
        listen: [`127.0.0.1:${ports.dns}`],
        zoneDirectory: join(directory, 'zones'),
        lines: ['telecom', 'unicom', 'mobile'].map((line) => {
          return { file: join(EXAMPLES, 'lines', `${line}.txt`), line };
        }),
        workers: 1,
      };
    case 'lb':
      return {
        keyDirectory: join(directory, 'keys'),
        secretFile: join(directory, 'lb.secret'),
        l4: {},
        vips: {},
        workers: 1,
        accessLog: { file: join(directory, 'lb.access.log') },
        drain: { delay: '0s', timeout: '2s' },
      };
    case 'console': {
      const members = servicesOf(plan)
        .filter((name) => name !== 'console')
        .map((name) => ({
          service: name,
          node: 'here',
          address: `127.0.0.1:${ports.admin[name]}`,
        }));
      return { listen: `127.0.0.1:${ports.console}`, members };
    }
    case 'natter': {
      const capacity = { eips: 1024, forwards: 1024, limits: 1024 };
      return { links: { uplink: [link], inside: [link] }, instance: 'host', capacity };
    }
    default:
      return { links: [link], relayed: undefined };
  }
}

/** Ready to be written: JSON is YAML. */
export function settingsOf(plan: HostPlan, service: string): string {
  const file = service === 'natter' ? 'natter-one-arm.yaml' : `${service}.yaml`;
  const settings = { ...example(file), ...common(plan, service), ...overlay(plan, service) };
  return `${JSON.stringify(settings, null, 2)}\n`;
}

/** What does not name a pool of targets, which would be probed. */
const isStill = (record: Settings): boolean => 'data' in record && record.type !== 'ALIAS';

function dnsObjects(): Settings {
  const { zones = [], records = [], lines = [] } = siteExample('site-dns.yaml');
  const zone = zones.find(({ soa }) => soa !== undefined);
  const { transfer: _transfer, notify: _notify, ...own } = zone ?? {};
  const www = {
    name: WWW,
    type: 'A',
    lines: { telecom: { data: ['192.0.2.10'] }, default: { data: ['198.51.100.80'] } },
  };
  return { zones: [own], lines, records: [...records.filter(isStill), www] };
}

/** Its own two listeners and routes: the example's are for addresses that are not here. */
function lbObjects({ ports }: HostPlan): Settings {
  const { routes = [] } = siteExample('site-lb.yaml');
  const answers = routes.filter(({ respond }) => respond !== undefined);
  return {
    listeners: [{ name: 'web-tls', at: `127.0.0.1:${ports.lb}`, protocol: 'http' }],
    routes: [...answers, { name: 'console', listeners: 'web-tls', pool: 'console' }],
    pools: [
      {
        name: 'console',
        targets: [`127.0.0.1:${ports.console}`],
        check: { type: 'tcp', interval: '2s', timeout: '1s' },
      },
    ],
  };
}

export function siteOf(plan: HostPlan): Settings {
  const { link } = plan;
  const site = { ...dnsObjects(), ...lbObjects(plan) };
  if (link === undefined) return site;
  const { subnets = [] } = siteExample('site-dhcp.yaml');
  const { eips = [] } = siteExample('site.yaml');
  return {
    ...site,
    subnets: subnets.slice(0, 1).map((subnet) => ({ ...subnet, interface: link })),
    eips: eips.slice(0, 1),
  };
}

export const settingsFile = (directory: string, service: string): string =>
  join(directory, `${basename(service)}.yaml`);
