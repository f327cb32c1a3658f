// `edge-lb --detach`: takes away what outlives the daemon: routes, programs, pinned maps, the
// addresses of VIPs. In this order, so that no packet is sent here once nobody serves it.
import { createBpf } from '../shared/bpf/kernel.ts';
import { systemClock } from '../shared/clock.ts';
import { lockPins, removePrograms } from '../shared/links/detach.ts';
import { createIpHost } from '../shared/links/ip-host.ts';
import { silentLog } from '../shared/log.ts';
import { hasL4, type LbConfig, pinDirectoryOf, routeTableOf } from './config.ts';
import { HOST_CODE } from './daemon.ts';
import { FILTER_PRIORITY } from './l4/l4.ts';
import { VipAddresses } from './vip-addresses.ts';

export async function detachLb(config: LbConfig): Promise<void> {
  const pinned = { pinDirectory: pinDirectoryOf(config), filterPriority: FILTER_PRIORITY };
  const isL4 = hasL4(config);
  if (isL4) lockPins(pinned);
  const host = createIpHost(systemClock, HOST_CODE);
  const set = { table: routeTableOf(config), protocol: config.vips.announce.protocol };
  await host.changeRoutes(set, [], await host.routes(set));
  if (isL4) {
    const own = [...config.l4.uplink, ...config.l4.inside];
    const links = await host.links();
    removePrograms(
      createBpf(),
      pinned,
      links.filter(({ name }) => own.includes(name)),
    );
  }
  await new VipAddresses(host, silentLog).put(undefined, []);
}
