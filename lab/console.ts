// The site's console: one page of everything, on a machine of its own on the inside switch.
import { join } from 'node:path';
import { LabDaemon } from './daemon.ts';
import { CONSOLE } from './plan.ts';
import type { Run } from './run.ts';

const SERVICE = { name: 'console', adminPort: 9105 };
/** Where visitors come. */
export const CONSOLE_PORT = 9180;

export class LabConsole extends LabDaemon {
  constructor(run: Run, storeUrl: string) {
    super(run, CONSOLE.name, CONSOLE.address, SERVICE);
    this.config = {
      node: CONSOLE.name,
      store: storeUrl,
      stateDirectory: join(run.directory, `${CONSOLE.name}.state`),
      listen: `0.0.0.0:${CONSOLE_PORT}`,
      interval: '1s',
      admin: { listen: `127.0.0.1:${SERVICE.adminPort}` },
      control: { socket: this.socketPath },
    };
  }
}
