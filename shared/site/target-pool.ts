// A pool: addresses of one family, with or without ports, that share clients; how they are probed,
// and how load balancers use them. Id: its name. Pure.
import { formatEndpoint, parsePort } from '../net/ports.ts';
import type { ObjectRecord } from '../store/types.ts';
import { inOrder } from './canonical.ts';
import { storedValue } from './dhcp-settings.ts';
import { type Family, familyOf, parseAddress } from './peer.ts';
import { checkProblems, readCheck, storedCheck } from './pool-check.ts';
import type { Pool, PoolTarget } from './pool-objects.ts';
import { proxyProblems, readProxy, storedProxy } from './pool-proxy.ts';
import type { ObjectProblem } from './problem.ts';
import { type Refusal, refusal } from './refusal.ts';
import { checkOf } from './target-check.ts';
import { isName, ValueReader } from './value.ts';
import { unless, unlessEmpty } from './zone.ts';

export const ANSWERS = ['weighted', 'all'] as const;
export const USUAL_ANSWER = 'weighted';
export const USUAL_WEIGHT = 1;
export const MAX_WEIGHT = 1000;
export const MAX_TIER = 255;
export const MAX_ANSWERS = 32;

const KEYS = ['answer', 'answers', 'check', 'minHealthy', 'proxy', 'targets'];
const TARGET_KEYS = ['address', 'port', 'tier', 'weight'];
const ADDRESS = 'an address in its shortest form';

/** From a stored object. */
export function parseTargetPool(id: string, value: string): Pool | Refusal {
  const reader = new ValueReader(`pool ${id}`, value, KEYS);
  if (!isName(id)) reader.refuse('the id is not a name');
  const check = readCheck(reader);
  const answer = reader.parsed('answer', ANSWERS.join(' or '), (text) =>
    ANSWERS.find((each) => each === text),
  );
  const proxy = readProxy(reader);
  const pool: Pool = {
    name: id,
    targets: reader.each('targets', TARGET_KEYS, readTarget),
    ...(check === undefined ? {} : { check }),
    answer: answer ?? USUAL_ANSWER,
    answers: reader.integer('answers', 1, MAX_ANSWERS) ?? 1,
    minHealthyPercent: reader.integer('minHealthy', 0, 100) ?? 0,
    ...(proxy === undefined ? {} : { proxy }),
  };
  if (reader.reasons.length > 0) return refusal(...reader.reasons);
  for (const { message } of poolProblems(pool)) reader.refuse(message);
  return reader.reasons.length === 0 ? pool : refusal(...reader.reasons);
}

function readTarget(reader: ValueReader): PoolTarget {
  const address = reader.parsed('address', ADDRESS, parseStoredAddress);
  if (address === undefined && reader.reasons.length === 0) reader.refuse('there is no address');
  const port = reader.integer('port', 1, 65535);
  return {
    address: address ?? '',
    ...(port === undefined ? {} : { port }),
    weight: reader.integer('weight', 0, MAX_WEIGHT) ?? USUAL_WEIGHT,
    tier: reader.integer('tier', 0, MAX_TIER) ?? 0,
  };
}

/** Only the spelling that parseAddress() gives. */
export function parseStoredAddress(text: string): string | undefined {
  return parseAddress(text) === text ? text : undefined;
}

/** Undefined: it has no target. */
export function familyOfPool({ targets: [first] }: Pool): Family | undefined {
  return first === undefined ? undefined : familyOf(first.address);
}

/** `10.0.0.5:8080`, `[2001:db8::5]:8080`, or the address alone: what a target is known by. */
export function targetText({ address, port }: Pick<PoolTarget, 'address' | 'port'>): string {
  return port === undefined ? address : formatEndpoint({ host: address, port });
}

/** From how an operator may write it; undefined: it is none. */
export function parseTarget(text: string): Pick<PoolTarget, 'address' | 'port'> | undefined {
  const alone = parseAddress(text);
  if (alone !== undefined) return { address: alone };
  const [, host = '', digits = ''] = /^(.*):(\d+)$/.exec(text) ?? [];
  const isBracketed = host.startsWith('[') && host.endsWith(']');
  const address = parseAddress(isBracketed ? host.slice(1, -1) : host);
  const port = parsePort(digits);
  if (address === undefined || port === undefined) return undefined;
  return (familyOf(address) === 6) === isBracketed ? { address, port } : undefined;
}

/** What is wrong with a pool in itself. */
export function poolProblems(pool: Pool): ObjectProblem[] {
  const problems = pool.check === undefined ? [] : checkProblems(pool.check);
  const family = familyOfPool(pool);
  const bare = new Set(pool.targets.flatMap(({ address, port }) => (port ? [] : [address])));
  const seen = new Set<string>();
  for (const [index, target] of pool.targets.entries()) {
    const { address, port } = target;
    const text = targetText(target);
    const say = (message: string, remedy: string) =>
      problems.push({ message, remedy, at: ['targets', index, 'address'] });
    if (familyOf(address) !== family) {
      const message = `target ${address} is of another family than ${pool.targets[0]?.address}`;
      say(message, 'make a pool of each family');
    }
    if (seen.has(text)) say(`target ${text} is there twice`, 'give it one weight');
    if (port !== undefined && bare.has(address)) {
      say(`target ${address} is there with and without a port`, 'give each of them one');
    }
    seen.add(text);
  }
  problems.push(...unprobed(pool));
  if (pool.answer === 'all' && pool.answers !== 1) {
    const message = 'answers has no use where all healthy targets are answered';
    problems.push({ message, remedy: 'leave it out', at: ['answers'] });
  }
  return pool.proxy === undefined ? problems : [...problems, ...proxyProblems(pool.proxy)];
}

/** A check without a port goes to that of each target: one has none. */
function unprobed(pool: Pool): ObjectProblem[] {
  const { check, targets } = pool;
  if (check === undefined || check.type === 'icmp') return [];
  const lacking = targets.find((target) => {
    const own = checkOf(pool, target);
    return own !== undefined && 'port' in own && own.port === 0;
  });
  if (lacking === undefined) return [];
  const message = `the check has no port, and target ${lacking.address} has none`;
  return [{ message, remedy: 'give the one or the other a port', at: ['check'] }];
}

export function formatTargetPool(pool: Pool): ObjectRecord {
  const value = storedValue({
    answer: unless(USUAL_ANSWER, pool.answer),
    answers: unless(1, pool.answers),
    check: pool.check === undefined ? undefined : storedCheck(pool.check),
    minHealthy: unless(0, pool.minHealthyPercent),
    proxy: pool.proxy === undefined ? undefined : inOrder(storedProxy(pool.proxy)),
    targets: unlessEmpty(
      pool.targets.map(({ address, port, tier, weight }) => ({
        address,
        port,
        tier: unless(0, tier),
        weight: unless(USUAL_WEIGHT, weight),
      })),
    ),
  });
  return { kind: 'pool', id: pool.name, value };
}
