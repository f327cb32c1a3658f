// Soak of dhcpd's cluster: the simulation of test/sim/dhcpd, scene after scene and seed after seed,
// for as long as told. Ends at the first fault.
import { report } from '../support/dhcp/sim/report.ts';
import { scenes } from '../support/dhcp/sim/scenes.ts';
import { simulate } from '../support/dhcp/sim/simulate.ts';
import type { SoakOptions } from './natter.ts';

const STEPS = 20_000;

export async function soakDhcpd({ minutes, seed, print }: SoakOptions): Promise<boolean> {
  const untilMs = performance.now() + minutes * 60_000;
  const total = { runs: 0, steps: 0, promises: 0, virtualSeconds: 0 };
  print(`seed ${seed}`);
  for (let each = seed; performance.now() < untilMs; each += 1) {
    for (const [name, scene] of Object.entries(scenes)) {
      const options = { seed: each, steps: STEPS, scene };
      const result = await simulate({ ...options, isShort: true });
      total.runs += 1;
      total.steps += result.steps;
      total.promises += result.promises;
      total.virtualSeconds += result.virtualSeconds;
      if (result.faults.length > 0) {
        print(report(name, options, result));
        return false;
      }
    }
    const hours = (total.virtualSeconds / 3600).toFixed(1);
    print(`seed ${each}: ${total.steps} steps, ${total.promises} promises in ${hours} h of theirs`);
  }
  print(`${total.runs} runs, no address with two clients`);
  return true;
}
