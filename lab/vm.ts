// A VM of the site. With dhcpds it gets its address as a real one does: by a client that stays.
import { join } from 'node:path';
import { LabNode } from './node.ts';
import type { LabProcess } from './process.ts';

const SCRIPT = join(import.meta.dirname, 'udhcpc.sh');

export class LabVm extends LabNode {
  #client: LabProcess | undefined;
  /** `ip` lines of routes that go with its address, and have to be made anew with another. */
  ownRoutes: readonly string[] = [];

  /** Asks until it has an address, and keeps it; may be called again, as after a boot. */
  async dhcp(timeoutMs?: number): Promise<void> {
    await this.#client?.stop();
    await this.ip('address flush dev eth0');
    const args = ['-f', '-i', 'eth0', '-s', SCRIPT, '-t', '20', '-T', '1', '-A', '1'];
    this.#client = this.spawn('udhcpc', args);
    const own = async (): Promise<string | undefined> => {
      const { stdout } = await this.exec('ip', ['-j', '-4', 'address', 'show', 'dev', 'eth0']);
      const [link] = JSON.parse(stdout) as { addr_info: { local: string }[] }[]; // iproute2's
      return link?.addr_info[0]?.local;
    };
    this.address = (await this.#client.ready('has an address', own, timeoutMs)) ?? '';
    await this.ip(...this.ownRoutes);
  }

  /** What the client has said so far. */
  get dhcpLog(): string {
    return this.#client?.output() ?? '';
  }
}
