// `edge-natter --detach`: takes away what outlives the daemon: routes, programs, pinned maps. In
// this order, so that no packet is sent here once nothing translates it.
import { createBpf } from '../shared/bpf/kernel.ts';
import { systemClock } from '../shared/clock.ts';
import { lockPins, removePrograms } from '../shared/links/detach.ts';
import { createIpHost } from '../shared/links/ip-host.ts';
import type { NatterConfig } from './config.ts';
import { pinDirectoryOf } from './config.ts';
import { HOST_CODE, planOf } from './daemon.ts';
import { FILTER_PRIORITY } from './links.ts';

export async function detachNatter(config: NatterConfig): Promise<void> {
  const pinned = { pinDirectory: pinDirectoryOf(config), filterPriority: FILTER_PRIORITY };
  lockPins(pinned);
  const [host, plan] = [createIpHost(systemClock, HOST_CODE), planOf(config)];
  const set = plan.announce.routes;
  const links = await host.links();
  const own = [...plan.links.uplink, ...plan.links.inside];
  const present = links.filter(({ name }) => own.includes(name));
  await host.changeRoutes(set, [], await host.routes(set));
  for (const link of present) await host.proxyArp(link, [], set);
  removePrograms(createBpf(), pinned, present);
}
