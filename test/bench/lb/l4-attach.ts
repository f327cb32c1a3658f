// Run in the namespace of a balancer: our programs serve the bench's VIP until this process ends.
// Its argument names the instance.
import { createOwn, inputOf, poolOf, serve, serverAt } from './l4-own.ts';
import { PORTS, TARGETS, VIP } from './l4-sites.ts';

const l4 = createOwn(process.argv[2] ?? 'bench');
await serve(
  l4,
  inputOf(
    [serverAt(VIP, PORTS.http, 'http'), serverAt(VIP, PORTS.iperf, 'iperf')],
    [poolOf('http', TARGETS, PORTS.http), poolOf('iperf', TARGETS.slice(0, 1), PORTS.iperf)],
  ),
);
console.log('attached');
setInterval(() => {}, 60_000);
