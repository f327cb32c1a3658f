// A pool: addresses of one family that share clients, and how they are probed. Id: its name. Pure.
import type { ObjectRecord } from '../store/types.ts';
import { storedValue } from './dhcp-settings.ts';
import { type Family, familyOf, parseAddress } from './peer.ts';
import { checkProblems, readCheck, storedCheck } from './pool-check.ts';
import type { Pool, PoolTarget } from './pool-objects.ts';
import type { ObjectProblem } from './problem.ts';
import { type Refusal, refusal } from './refusal.ts';
import { isName, ValueReader } from './value.ts';
import { unless, unlessEmpty } from './zone.ts';

export const ANSWERS = ['weighted', 'all'] as const;
export const USUAL_ANSWER = 'weighted';
export const USUAL_WEIGHT = 1;
export const MAX_WEIGHT = 1000;
export const MAX_TIER = 255;
export const MAX_ANSWERS = 32;

const KEYS = ['answer', 'answers', 'check', 'minHealthy', 'targets'];
const ADDRESS = 'an address in its shortest form';

/** From a stored object. */
export function parseTargetPool(id: string, value: string): Pool | Refusal {
  const reader = new ValueReader(`pool ${id}`, value, KEYS);
  if (!isName(id)) reader.refuse('the id is not a name');
  const check = readCheck(reader);
  const answer = reader.parsed('answer', ANSWERS.join(' or '), (text) =>
    ANSWERS.find((each) => each === text),
  );
  const pool: Pool = {
    name: id,
    targets: reader.each('targets', ['address', 'tier', 'weight'], readTarget),
    ...(check === undefined ? {} : { check }),
    answer: answer ?? USUAL_ANSWER,
    answers: reader.integer('answers', 1, MAX_ANSWERS) ?? 1,
    minHealthyPercent: reader.integer('minHealthy', 0, 100) ?? 0,
  };
  if (reader.reasons.length > 0) return refusal(...reader.reasons);
  for (const { message } of poolProblems(pool)) reader.refuse(message);
  return reader.reasons.length === 0 ? pool : refusal(...reader.reasons);
}

function readTarget(reader: ValueReader): PoolTarget {
  const address = reader.parsed('address', ADDRESS, parseStoredAddress);
  if (address === undefined && reader.reasons.length === 0) reader.refuse('there is no address');
  return {
    address: address ?? '',
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

/** What is wrong with a pool in itself. */
export function poolProblems(pool: Pool): ObjectProblem[] {
  const problems = pool.check === undefined ? [] : checkProblems(pool.check);
  const family = familyOfPool(pool);
  const seen = new Set<string>();
  for (const [index, { address }] of pool.targets.entries()) {
    const say = (message: string, remedy: string) =>
      problems.push({ message, remedy, at: ['targets', index, 'address'] });
    if (familyOf(address) !== family) {
      const message = `target ${address} is of another family than ${pool.targets[0]?.address}`;
      say(message, 'make a pool of each family');
    }
    if (seen.has(address)) say(`target ${address} is there twice`, 'give it one weight');
    seen.add(address);
  }
  if (pool.answer === 'all' && pool.answers !== 1) {
    const message = 'answers has no use where all healthy targets are answered';
    problems.push({ message, remedy: 'leave it out', at: ['answers'] });
  }
  return problems;
}

export function formatTargetPool(pool: Pool): ObjectRecord {
  const value = storedValue({
    answer: unless(USUAL_ANSWER, pool.answer),
    answers: unless(1, pool.answers),
    check: pool.check === undefined ? undefined : storedCheck(pool.check),
    minHealthy: unless(0, pool.minHealthyPercent),
    targets: unlessEmpty(
      pool.targets.map(({ address, tier, weight }) => ({
        address,
        tier: unless(0, tier),
        weight: unless(USUAL_WEIGHT, weight),
      })),
    ),
  });
  return { kind: 'pool', id: pool.name, value };
}
