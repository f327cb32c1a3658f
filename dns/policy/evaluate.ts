// From a smart record, its pools and their health to what each line is answered, and why
// (docs/answers.md §6). Pure.

import type { LineAnswer, Source } from '../../shared/site/dns-objects.ts';
import type { Pool } from '../../shared/site/pool-objects.ts';
import { DEFAULT_LINE } from '../lines/types.ts';
import { isHealthy, type JudgedPool, judge, spreadOf } from './pools.ts';
import { rdataOf } from './rdata.ts';
import { ttlOf } from './ttl.ts';
import type { PolicyInput, SmartAnswer, SmartChoice } from './types.ts';

/** A source that was looked at, in order, with its pool when it has one. */
export type Considered = { line: string; source: Source; judged: JudgedPool | undefined };

type Found = { line: string; considered: Considered; asIfHealthy: boolean };

/** `judged`: shared by all records that are evaluated against the same health. */
export function evaluate(
  input: PolicyInput,
  judged: Map<string, JudgedPool> = new Map(),
): SmartAnswer {
  const choices: SmartChoice[] = [];
  const numbers = new Map<string, number>();
  const choiceOfLine = Uint16Array.from(input.lines, (line) => {
    const entry = entryOf(input, line);
    const known = numbers.get(entry);
    if (known !== undefined) return known;
    numbers.set(entry, choices.length);
    return choices.push(choose(input, entry, judged)) - 1;
  });
  return { choiceOfLine, choices };
}

/** P1: whose answer a line has. */
export function entryOf({ record, fallbacks }: PolicyInput, line: string): string {
  const chain = [line, ...(fallbacks.get(line) ?? [])];
  return chain.find((each) => record.lines.has(each)) ?? DEFAULT_LINE;
}

function choose(input: PolicyInput, entry: string, judged: Map<string, JudgedPool>): SmartChoice {
  const considered: Considered[] = [];
  const steps: string[] = [];
  const found = find(input, entry, { judged, considered, steps });
  const ttlSeconds = ttlOf(input, answerOf(input, entry), considered);
  const base = { ttlSeconds: ttlSeconds.seconds, steps: [...steps, ttlSeconds.step] };
  if (found === undefined) return { ...base, answers: [[]] };
  const { source } = found.considered;
  const { type } = input.record;
  if ('data' in source) {
    return { ...base, answers: [source.data.map((text) => rdataOf(type, text))] };
  }
  const pool = found.considered.judged;
  if (pool === undefined) throw new Error(`pool ${source.pool} was not judged`);
  return { ...base, ...spreadOf(pool, found.asIfHealthy) };
}

type Trail = {
  judged: Map<string, JudgedPool>;
  considered: Considered[];
  steps: string[];
};

/** P2 and P3; undefined: no data. */
function find(input: PolicyInput, entry: string, trail: Trail): Found | undefined {
  const { record } = input;
  for (const line of [entry, ...(record.overflow.get(entry) ?? [])]) {
    const found = firstGood(input, line, trail);
    if (found !== undefined) return found;
    trail.steps.push(`all sources of line ${line} are failed`);
  }
  if (record.allDown === 'none') {
    trail.steps.push('allDown is none: no data');
    return undefined;
  }
  if (record.allDown === 'default' && entry !== DEFAULT_LINE) {
    trail.steps.push('allDown is default: what line default gets');
    const found = firstGood(input, DEFAULT_LINE, trail);
    if (found !== undefined) return found;
    trail.steps.push('all sources of line default are failed');
  }
  trail.steps.push('everything is failed: the first source, as if all of it were healthy');
  return firstOf(input, entry, trail);
}

function firstGood(input: PolicyInput, line: string, trail: Trail): Found | undefined {
  for (const source of answerOf(input, line).sources) {
    const considered = consider(input, line, source, trail);
    if (considered.judged?.isFailed !== true) {
      return { line, considered, asIfHealthy: false };
    }
  }
  return undefined;
}

function firstOf(input: PolicyInput, line: string, trail: Trail): Found {
  const [source] = answerOf(input, line).sources;
  if (source === undefined) throw new Error(`line ${line} has no source`);
  const considered = { line, source, judged: judgedOf(input, source, trail.judged) };
  return { line, considered, asIfHealthy: true };
}

function consider(input: PolicyInput, line: string, source: Source, trail: Trail): Considered {
  const judged = judgedOf(input, source, trail.judged);
  trail.steps.push(describe(line, source, judged));
  const considered = { line, source, judged };
  trail.considered.push(considered);
  return considered;
}

function judgedOf(
  { pools, healthOf, record }: PolicyInput,
  source: Source,
  cache: Map<string, JudgedPool>,
): JudgedPool | undefined {
  if ('data' in source) return undefined;
  const pool = pools.get(source.pool);
  // Two units are not changed at once: a pool may be missing yet, or be of the other family.
  if (pool === undefined || !fits(pool, record.type)) return judge(none(source.pool), healthOf);
  const known = cache.get(source.pool);
  if (known !== undefined) return known;
  const judged = judge(pool, healthOf);
  cache.set(source.pool, judged);
  return judged;
}

function fits({ targets }: Pool, type: string): boolean {
  return targets.every(({ address }) => address.includes(':') === (type === 'AAAA'));
}

/** Without a target it is failed. */
function none(name: string): Pool {
  return { name, targets: [], answer: 'all', answers: 1, minHealthyPercent: 0 };
}

function answerOf({ record }: PolicyInput, line: string): LineAnswer {
  const found = record.lines.get(line);
  if (found === undefined) throw new Error(`${record.name} has nothing for line ${line}`);
  return found;
}

function describe(line: string, source: Source, judged: JudgedPool | undefined): string {
  if ('data' in source) return `line ${line}: data ${source.data.join(', ')}`;
  if (judged === undefined || judged.targets.length === 0) {
    return `line ${line}: pool ${source.pool} has no target`;
  }
  const targets = judged.targets.map((each) => {
    const { target, health } = each;
    const override = health.override;
    const why = override === undefined ? health.measured : `${override.state} by ${override.who}`;
    const served = isHealthy(each) ? 'served' : 'not served';
    return `${target.address} ${served} (${why}, weight ${target.weight})`;
  });
  const verdict = judged.isFailed ? 'failed' : 'serves';
  const share = Math.round(judged.healthyPercent);
  return `line ${line}: pool ${source.pool} ${verdict}, ${share} % healthy: ${targets.join(', ')}`;
}
