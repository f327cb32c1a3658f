// A dns of the site: a machine on the inside switch, reached by clients at its elastic IP.
import { join } from 'node:path';
import { type DaemonConfig, LabDaemon } from './daemon.ts';
import type { InsidePlan } from './plan.ts';
import type { Run } from './run.ts';

/** Where clients find them: an elastic IP each. */
export const DNS_EIPS = ['198.51.100.53', '198.51.100.54'];
export const LAB_ZONE = 'edge.example';

const SERVICE = { name: 'dns', adminPort: 9103 };
const LINES = join(import.meta.dirname, '..', 'deploy', 'examples', 'lines');

export class LabDns extends LabDaemon {
  constructor(run: Run, plan: InsidePlan, options: { storeUrl: string; config: DaemonConfig }) {
    super(run, plan.name, plan.address, SERVICE);
    this.config = {
      node: plan.name,
      store: options.storeUrl,
      stateDirectory: join(run.directory, `${plan.name}.state`),
      listen: [`${plan.address}:53`, '127.0.0.1:53'],
      workers: 1,
      lines: ['telecom', 'unicom', 'mobile'].map((line) => {
        return { file: join(LINES, `${line}.txt`), line };
      }),
      admin: { listen: `127.0.0.1:${SERVICE.adminPort}` },
      control: { socket: this.socketPath },
      ...options.config,
    };
  }
}

/** One name that each ISP's clients are answered in their own way, and what follows health. */
export function dnsObjects(
  answers: { telecom: string; unicom: string; mobile: string },
  host = 'www',
  servers: readonly string[] = DNS_EIPS,
) {
  const check = {
    type: 'http',
    port: 80,
    path: '/',
    interval: '1s',
    timeout: '500ms',
    rise: 2,
    fall: 2,
  };
  const isps = Object.entries(answers);
  const nameServers = servers.map((address, index) => ({
    name: `ns${index + 1}.${LAB_ZONE}`,
    address,
  }));
  const [primary] = nameServers;
  return {
    zones: [{ zone: LAB_ZONE, soa: { primary: primary?.name, mail: `hostmaster.${LAB_ZONE}` } }],
    records: [
      { name: LAB_ZONE, type: 'NS', data: nameServers.map(({ name }) => name) },
      ...nameServers.map(({ name, address }) => ({ name, type: 'A', data: [address] })),
      {
        name: `${host}.${LAB_ZONE}`,
        type: 'A',
        ttl: '30s',
        minTtl: '1s',
        lines: {
          ...Object.fromEntries(isps.map(([isp]) => [isp, { pool: `${host}-${isp}` }])),
          default: { sources: isps.map(([isp]) => ({ pool: `${host}-${isp}` })) },
        },
        overflow: { telecom: ['unicom'], unicom: ['telecom'], mobile: ['unicom', 'telecom'] },
      },
    ],
    pools: isps.map(([isp, address]) => ({
      name: `${host}-${isp}`,
      targets: [{ address }],
      check,
    })),
    lines: isps.map(([isp]) => ({ name: isp })),
  };
}
