// Run in the namespace of a balancer: one of 100 targets goes down and comes back, again and again.
// Prints JSON: ms from the decision until the kernel has it, and of the other targets' flows the
// share that went elsewhere, asked of the programs in the kernel.
import { parseIpv4 } from '../../../shared/net/ipv4.ts';
import { createOwn, inputOf, poolOf, serve, serverAt } from './l4-own.ts';
import { PORTS, VIP } from './l4-sites.ts';

const TARGETS = 100;
const FLOWS = 4000;
const [, , instance = 'bench', times = '20'] = process.argv;

const addresses = Array.from({ length: TARGETS }, (_, at) => `10.0.0.${at + 1}`);
const servers = [serverAt(VIP, PORTS.http, 'web')];
const pools = [poolOf('web', addresses, PORTS.http)];
const l4 = createOwn(instance);
await serve(l4, inputOf(servers, pools));

function targetsOfFlows(): (string | undefined)[] {
  return Array.from({ length: FLOWS }, (_, at) => {
    const source = parseIpv4(`198.18.${at & 255}.7`);
    const destination = parseIpv4(VIP);
    if (source === undefined || destination === undefined) throw new Error('no address');
    const ports = { sourcePort: 1024 + at, destinationPort: PORTS.http };
    return l4.explain({ flow: { source, destination, ...ports, protocol: 6 }, syn: true }).target;
  });
}

const before = targetsOfFlows();
const ms: number[] = [];
let moved = 0;
for (let at = 0; at < Number(times); at++) {
  const down = `${addresses[at % TARGETS]}:${PORTS.http}`;
  for (const gone of [down, undefined]) {
    const startMs = performance.now();
    await l4.want(inputOf(servers, pools, gone));
    ms.push(performance.now() - startMs);
    if (gone === undefined || at > 0) continue;
    const after = targetsOfFlows();
    const others = before.flatMap((target, flow) =>
      target === down ? [] : [[target, after[flow]]],
    );
    if (others.some(([target]) => target === undefined)) throw new Error('a flow has no target');
    moved = others.filter(([target, now]) => target !== now).length / others.length;
  }
}
console.log(JSON.stringify({ ms, moved }));
await l4.close();
