// A dhcpd of the site: a machine on the inside switch that serves its own link.
import { join } from 'node:path';
import { type DaemonConfig, LabDaemon } from './daemon.ts';
import { CORE_ADDRESS, INSIDE_PREFIX, type InsidePlan, VM_POOL } from './plan.ts';
import type { Run } from './run.ts';

const SERVICE = { name: 'dhcpd', adminPort: 9102 };

export class LabDhcpd extends LabDaemon {
  constructor(run: Run, plan: InsidePlan, options: { storeUrl: string; config: DaemonConfig }) {
    super(run, plan.name, plan.address, SERVICE);
    this.config = {
      node: plan.name,
      store: options.storeUrl,
      stateDirectory: join(run.directory, `${plan.name}.state`),
      links: ['eth0'],
      admin: { listen: `127.0.0.1:${SERVICE.adminPort}` },
      control: { socket: this.socketPath },
      ...options.config,
    };
  }
}

/** The site objects by which VMs get addresses. */
export const DHCP_OBJECTS = {
  subnets: [
    {
      subnet: INSIDE_PREFIX,
      pools: [VM_POOL],
      lease: '1h',
      options: { routers: [CORE_ADDRESS] },
    },
  ],
};
