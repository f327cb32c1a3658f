// What an operator says of a target's health, whatever is measured. Id: the target, at one port or
// at any, in one pool or in any: `192.0.2.10`, `192.0.2.10:8080`, `192.0.2.10:8080/www`. Pure.
import type { ObjectRecord } from '../store/types.ts';
import { storedValue } from './dhcp-settings.ts';
import { MAX_MOMENT_MS } from './moment.ts';
import type { HealthOverride } from './pool-objects.ts';
import { type Refusal, refusal } from './refusal.ts';
import { parseTarget, targetText } from './target-pool.ts';
import { isName, ValueReader } from './value.ts';

export const OVERRIDE_STATES = ['up', 'down', 'drain'] as const;
const MAX_TEXT = 200;
const TEXT = `a text of 1 to ${MAX_TEXT} characters on one line`;

/** From a stored object. */
export function parseOverride(id: string, value: string): HealthOverride | Refusal {
  const reader = new ValueReader(`override ${id}`, value, ['state', 'until', 'who', 'why']);
  const named = parseOverrideId(id);
  if (named === undefined)
    reader.refuse('the id is not an address, address:port, or one of them and /pool');
  const state = reader.parsed('state', OVERRIDE_STATES.join(' or '), (text) =>
    OVERRIDE_STATES.find((each) => each === text),
  );
  const who = reader.parsed('who', TEXT, parseWords);
  const why = reader.parsed('why', TEXT, parseWords);
  const until = reader.integer('until', 0, MAX_MOMENT_MS);
  for (const [key, given] of Object.entries({ state, who, why })) {
    if (given === undefined && reader.reasons.length === 0) reader.refuse(`there is no ${key}`);
  }
  if (reader.reasons.length > 0 || !named || !state || !who || !why) {
    return refusal(...reader.reasons);
  }
  return { ...named, state, who, why, ...(until === undefined ? {} : { untilMs: until }) };
}

export function parseWords(text: string): string | undefined {
  const isLine = text.trim() !== '' && text.length <= MAX_TEXT && !/\p{Cc}/u.test(text);
  return isLine ? text : undefined;
}

export type Overridden = Pick<HealthOverride, 'address' | 'port' | 'pool'>;

/** Only the spelling that is stored. */
export function parseOverrideId(id: string): Overridden | undefined {
  const slash = id.indexOf('/');
  const text = slash < 0 ? id : id.slice(0, slash);
  const target = parseTarget(text);
  if (target === undefined || targetText(target) !== text) return undefined;
  if (slash < 0) return target;
  const pool = id.slice(slash + 1);
  return isName(pool) ? { ...target, pool } : undefined;
}

export function formatOverride(override: HealthOverride): ObjectRecord {
  const { state, who, why, untilMs } = override;
  const value = storedValue({ state, until: untilMs, who, why });
  return { kind: 'override', id: overrideId(override), value };
}

export function overrideId(overridden: Overridden): string {
  const { pool } = overridden;
  return pool === undefined ? targetText(overridden) : `${targetText(overridden)}/${pool}`;
}
