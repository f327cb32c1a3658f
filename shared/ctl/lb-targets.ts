// `lb drain|undrain|weight`: one target of a pool. drain and undrain are overrides, as those of
// `health`; a weight is the pool's.

import { formatTargetPool, MAX_WEIGHT, parseTarget, targetText } from '../site/target-pool.ts';
import { isName } from '../site/value.ts';
import { changeSite, type Edit, notThere } from './change.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import { clear, override } from './health.ts';
import type { SiteState } from './state.ts';
import { didYouMean } from './suggest.ts';

const SEE_TARGETS = 'see: edgectl get pool';
const USUAL_WHY = 'edgectl lb drain';

/** As `health` has it: the target, and its pool as a flag. */
function targetArguments(args: Arguments): Arguments {
  const [text = ''] = args.positionals;
  const slash = text.indexOf('/');
  const [pool, target] = [text.slice(0, Math.max(slash, 0)), text.slice(slash + 1)];
  if (slash >= 0 && !isName(pool)) {
    throw new UsageError(`TARGET is like 10.0.0.5:8080 or www/10.0.0.5:8080, not "${text}"`);
  }
  const values = new Map(args.values);
  if (slash >= 0) values.set('pool', pool);
  return { ...args, positionals: [target], values };
}

export const drain: Run = async (context, args) => {
  const { positionals, values, ...more } = targetArguments(args);
  const why = values.get('why') ?? USUAL_WHY;
  const said = new Map(values).set('why', why);
  return override(context, { ...more, positionals: [...positionals, 'drain'], values: said });
};

export const undrain: Run = async (context, args) => clear(context, targetArguments(args));

function weightOf(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= MAX_WEIGHT) return Number(text);
  throw new UsageError(`WEIGHT is 0 to ${MAX_WEIGHT}, not "${text}"`);
}

/** `text`: the target with its port, or its address alone if that is one target. */
function reweighted(state: SiteState, name: string, text: string, weight: number): Edit {
  const pool = state.find('pool', name);
  if (pool === undefined) {
    const pools = [...state.records.values()].filter(({ kind }) => kind === 'pool');
    const names = pools.map(({ id }) => id);
    throw notThere('pool', `${name}${didYouMean(name, names)}`, 'see: edgectl get pool');
  }
  const wanted = parseTarget(text);
  if (wanted === undefined) throw new UsageError(`TARGET "${text}" is not like 10.0.0.5:8080`);
  const named = pool.targets.filter((each) => targetText(each) === targetText(wanted));
  const found = named.length > 0 ? named : pool.targets.filter((each) => isAt(each, wanted));
  const [target, other] = found;
  if (other !== undefined) {
    throw new UsageError(`${text} has several targets in pool ${name}: name one with its port`);
  }
  if (target === undefined) throw notThere('target', `${text} in pool ${name}`, SEE_TARGETS);
  const before = target.weight === weight ? 'unchanged' : `${target.weight} before`;
  const line = `weight of ${targetText(target)} in pool ${name}: ${weight}, ${before}`;
  const targets = pool.targets.map((each) => (each === target ? { ...each, weight } : each));
  return { changes: [formatTargetPool({ ...pool, targets })], lines: [line] };
}

type Place = { address: string; port?: number };
const isAt = (target: Place, { address, port }: Place) =>
  port === undefined && target.address === address;

export const weight: Run = async (context, args) => {
  const [pool = '', target = '', text = ''] = args.positionals;
  const wanted = weightOf(text);
  return changeSite(
    context,
    args,
    (state) => reweighted(state, pool, target, wanted),
    async ({ out }, { lines }) => {
      for (const line of lines) await out.line(line);
    },
    ['pools'],
  );
};
