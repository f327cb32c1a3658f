// A dns of the site: a machine on the inside switch, reached by clients at its elastic IP.
import { join } from 'node:path';
import { type DaemonConfig, LabDaemon } from './daemon.ts';
import type { InsidePlan } from './plan.ts';
import type { Run } from './run.ts';

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
