// What a process finds in its sockets after it stood still.
import { afterEach, expect, test } from 'vitest';
import type { DhcpdConfig } from '../../../dhcpd/config.ts';
import type { Ingress } from '../../../dhcpd/io/types.ts';
import { WirePath } from '../../../dhcpd/wire-path.ts';
import { until } from '../../../lab/ready.ts';
import { type Clock, systemClock } from '../../../shared/clock.ts';
import { silentLog } from '../../../shared/log.ts';
import { freePorts } from '../../support/redis.ts';

const unused = () => {
  throw new Error('not used here');
};
const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

test('a message that came before a gap is as old as the gap; a later one is new', async () => {
  const [port = 0] = await freePorts(1);
  let nowMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
  const heard: Ingress[] = [];
  const wire = new WirePath({
    config: {
      links: [],
      relayed: { listen: [{ host: '127.0.0.1', port }] },
      siblingIds: [],
      probe: { timeout: 100, cache: 0, arp: false, ping: false, maxPerSecond: 1 },
    } as unknown as DhcpdConfig, // all of it that is looked at here
    interfaces: { list: async () => [] } as never,
    openCapture: unused,
    openEcho: unused,
    clock,
    log: silentLog,
    receive: (_, ingress) => heard.push(ingress),
    isKept: () => false,
    fail: (error) => expect.unreachable(String(error)),
  });
  await wire.open();
  ended.push(() => wire.close());
  const ask = async (): Promise<Ingress> => {
    const before = heard.length;
    wire.sendToSelf(new Uint8Array(240), new Uint8Array(6));
    await until('a message', async () => heard.length > before);
    return heard[before] ?? expect.unreachable();
  };
  expect((await ask()).isOld).toBeUndefined();
  nowMs = 60_000;
  expect(await ask()).toMatchObject({ isOld: true, receivedMs: 0 });
  nowMs = 60_900;
  expect(await ask()).toMatchObject({ isOld: true, receivedMs: 0 });
  nowMs = 61_800;
  expect((await ask()).isOld).toBeUndefined();
  expect(heard.at(-1)?.receivedMs).toBe(61_800);
});
