// What only shows when virtual servers and pools are seen together: ports that two servers claim,
// targets that two nat servers would answer for (docs/balancing.md, K5), pools that L4 cannot use.
// Pure.
import { formatIpv4, type Ipv4, parseIpv4 } from '../net/ipv4.ts';
import { formatPortRange } from '../net/ports.ts';
import type { VirtualServer } from './lb-objects.ts';
import type { Pool, PoolTarget } from './pool-objects.ts';
import type { ObjectProblem } from './problem.ts';
import { targetText } from './target-pool.ts';
import { formatVserverAt } from './vserver.ts';

/** `id` is the virtual server's. */
export type L4Problem = ObjectProblem & { id: string };

/** Empty when they go together. */
export function checkL4(
  servers: readonly VirtualServer[],
  pools: ReadonlyMap<string, Pool>,
): L4Problem[] {
  const problems: L4Problem[] = [];
  const vips = new Claims();
  const targets = new Claims();
  for (const server of servers) {
    const id = formatVserverAt(server);
    const { address, protocol, port: first, lastPort: last } = server;
    if (parseIpv4(address) === undefined) {
      problems.push({ id, message: `${address} is no IPv4 address; L4 has IPv4 only` });
    }
    vips.add(`${address} ${protocol}`, { first, last, id });
    const pool = pools.get(server.pool);
    if (pool === undefined) {
      const message = `there is no pool ${JSON.stringify(server.pool)}`;
      problems.push({ id, message, remedy: 'add it under pools', at: ['pool'] });
    } else checkTargets(id, server, pool, targets, problems);
  }
  for (const [a, b] of vips.overlaps()) {
    problems.push({ id: b.id, message: `has ports of ${a.id}`, at: ['at'] });
  }
  for (const [a, b, at] of targets.overlaps()) problems.push(sharedTarget(a, b, at));
  return problems;
}

function checkTargets(
  id: string,
  server: VirtualServer,
  pool: Pool,
  claims: Claims,
  problems: L4Problem[],
): void {
  const say = (message: string, remedy: string) =>
    problems.push({ id, message, remedy, at: ['pool'] });
  for (const target of pool.targets) {
    const address = parseIpv4(target.address);
    if (address === undefined) {
      const message = `pool ${pool.name} has ${target.address}; L4 has IPv4 targets only`;
      say(message, 'a pool of its own for the IPv6 targets, behind L7');
    } else if (server.mode === 'dsr') {
      if (targetPorts(server, target).first === server.port) continue;
      const message = `pool ${pool.name} has ${targetText(target)}, and dsr changes no port`;
      say(message, `leave its port out, or make it ${server.port}`);
    } else if (target.address === server.address) {
      say(`pool ${pool.name} has the address of the server itself`, 'name another target');
    } else {
      const { first, last } = targetPorts(server, target);
      if (last > 65535) {
        const message = `of pool ${pool.name} ${target.address}:${first} has no room for the range`;
        say(message, `at most ${65535 - (last - first)} as its port`);
      }
      claims.add(`${formatIpv4(address)} ${server.protocol}`, { first, last, id });
    }
  }
}

/** At which ports a target of a nat server is sent its packets; of a range as many as it has. */
export function targetPorts(
  { port, lastPort }: Pick<VirtualServer, 'port' | 'lastPort'>,
  target: Pick<PoolTarget, 'port'>,
): { first: number; last: number } {
  const first = target.port ?? port;
  return { first, last: first + lastPort - port };
}

function sharedTarget(a: Claim, b: Claim, at: string): L4Problem {
  const [address, protocol] = at.split(' ');
  const ports = { first: Math.max(a.first, b.first), last: Math.min(a.last, b.last) };
  const where = `${address}:${formatPortRange(ports)}/${protocol}`;
  if (a.id === b.id) {
    return { id: b.id, message: `two targets of its pool are ${where}`, at: ['pool'] };
  }
  return {
    at: ['pool'],
    id: b.id,
    message: `its target ${where} serves ${a.id} already: whose reply would it send?`,
    remedy: 'another port of the target, or `mode: dsr`',
  };
}

/** Ports that somebody has of one address and protocol, both ends included. */
type Claim = { first: number; last: number; id: string };

class Claims {
  readonly #of = new Map<string, Claim[]>();

  add(at: string, claim: Claim): void {
    const claims = this.#of.get(at);
    if (claims === undefined) this.#of.set(at, [claim]);
    else claims.push(claim);
  }

  /** Each claim that runs into one before it, with that one. */
  *overlaps(): Generator<[Claim, Claim, at: string]> {
    for (const [at, claims] of this.#of) {
      claims.sort((a, b) => a.first - b.first);
      let widest: Claim | undefined;
      for (const claim of claims) {
        if (widest !== undefined && claim.first <= widest.last) yield [widest, claim, at];
        if (widest === undefined || claim.last > widest.last) widest = claim;
      }
    }
  }
}

/** An address that checkL4 has found to be one. */
export function checkedIpv4(text: string): Ipv4 {
  const address = parseIpv4(text);
  if (address === undefined) throw new Error(`${text} was not checked`);
  return address;
}
