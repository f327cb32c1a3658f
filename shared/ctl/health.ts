// `health list|override|clear`: what the dns of this host holds of targets, and what an operator
// says of them whatever is measured. Overrides are stored, and in force once every dns has them.

import { formatMoment, MAX_MOMENT_MS, parseMoment } from '../site/moment.ts';
import {
  formatOverride,
  OVERRIDE_STATES,
  type Overridden,
  overrideId,
  parseOverrideId,
  parseWords,
} from '../site/override.ts';
import type { HealthOverride } from '../site/pool-objects.ts';
import { parseTarget, targetText } from '../site/target-pool.ts';
import { isName } from '../site/value.ts';
import type { ObjectRecord } from '../store/types.ts';
import { changeSite, type Edit } from './change.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { controlOf, fieldsOf, listOf } from './control.ts';
import { describeNamed } from './describe.ts';
import { EXIT } from './exit.ts';
import { durationMs } from './flags.ts';
import { type Fields, optional } from './lease.ts';
import { writeList } from './list.ts';
import { formatAge } from './members.ts';
import type { Colour } from './output.ts';
import { keyOf, type SiteState } from './state.ts';
import { didYouMean } from './suggest.ts';
import type { Column } from './table.ts';

const COLOURS: Record<string, Colour> = { up: 'green', down: 'red', unknown: 'yellow' };

function columns(nowMs: number): Column<Fields>[] {
  const text = (title: string, name: string) => ({
    title,
    value: (row: Fields) => optional(row, name),
  });
  const count = (title: string, name: string) => ({
    title,
    right: true as const,
    value: (row: Fields) => (typeof row[name] === 'number' ? row[name] : undefined),
  });
  return [
    text('POOL', 'pool'),
    text('ADDRESS', 'address'),
    count('WEIGHT', 'weight'),
    count('TIER', 'tier'),
    { ...text('STATE', 'state'), colour: (row) => COLOURS[optional(row, 'state') ?? ''] },
    text('MEASURED', 'measured'),
    {
      title: 'FOR',
      right: true,
      value(row) {
        const since = parseMoment(optional(row, 'since') ?? '');
        return since === undefined ? undefined : formatAge(nowMs - since);
      },
    },
    text('WHY', 'why'),
  ];
}

export const list: Run = async (context, args) => {
  const answer = fieldsOf(await controlOf(context, args, 'dns').get('/health'), 'health');
  const all = listOf(answer, 'targets').map((one) => fieldsOf(one, 'health'));
  const [pool] = args.positionals;
  const rows = pool === undefined ? all : all.filter((row) => row.pool === pool);
  const view = { columns: columns(context.clock.nowMs()), rows, json: (row: Fields) => row };
  await writeList(context, args, view);
  if (pool === undefined || rows.length > 0) return EXIT.ok;
  await context.err.line(`edgectl: no record uses a pool ${pool}`);
  return EXIT.failure;
};

/** Throws UsageError. */
function targetOf({ positionals, values }: Arguments): Overridden {
  const [text = ''] = positionals;
  const target = parseTarget(text);
  if (target === undefined) {
    throw new UsageError(`TARGET is an address such as 10.0.0.5 or 10.0.0.5:8080, not "${text}"`);
  }
  const pool = values.get('pool');
  if (pool === undefined) return target;
  if (!isName(pool)) throw new UsageError(`--pool "${pool}" is no name of a pool`);
  return { ...target, pool };
}

function untilOf({ clock }: Context, args: Arguments): number | undefined {
  const text = args.values.get('until');
  if (args.values.has('for')) {
    if (text !== undefined) throw new UsageError('--until and --for exclude each other');
    const until = clock.nowMs() + durationMs(args, 'for', 0);
    return Math.min(Math.ceil(until / 1000) * 1000, MAX_MOMENT_MS);
  }
  if (text === undefined) return undefined;
  const until = parseMoment(text);
  if (until === undefined) {
    throw new UsageError(`--until is a time such as 2026-12-01T08:00:00Z, not "${text}"`);
  }
  if (until > clock.nowMs()) return until;
  throw new UsageError(`--until ${text} is over: it is ${formatMoment(clock.nowMs())}`);
}

function wanted(context: Context, args: Arguments): HealthOverride {
  const [, word = ''] = args.positionals;
  const state = OVERRIDE_STATES.find((each) => each === word);
  if (state === undefined) {
    const hint = didYouMean(word, OVERRIDE_STATES);
    throw new UsageError(`STATE is one of ${OVERRIDE_STATES.join(', ')}, not "${word}"${hint}`);
  }
  const why = args.values.get('why');
  if (why === undefined) throw new UsageError('why? Give --why TEXT: others will read it');
  if (parseWords(why) === undefined) {
    throw new UsageError('--why is a text of 1 to 200 characters on one line');
  }
  const untilMs = untilOf(context, args);
  const until = untilMs === undefined ? {} : { untilMs };
  return { ...targetOf(args), state, who: context.author, why, ...until };
}

/** The word of whoever speaks last counts. */
function overwrite(state: SiteState, record: ObjectRecord): Edit {
  const { kind, id, value } = record;
  const isSame = state.records.get(keyOf(kind, id))?.value === value;
  return { changes: [record], lines: isSame ? [`${kind} ${id} unchanged`] : [] };
}

export const override: Run = async (context, args) => {
  const record = formatOverride(wanted(context, args));
  return changeSite(context, args, (state) => overwrite(state, record), describeNamed, ['pools']);
};

/** What is said of the same address more narrowly stays, and is named. */
function removal(state: SiteState, target: Overridden): Edit {
  const id = overrideId(target);
  const lines = state.has('override', id) ? [] : [`override ${id} was not there`];
  for (const { kind, id: otherId } of state.records.values()) {
    const other = kind === 'override' && otherId !== id ? parseOverrideId(otherId) : undefined;
    if (other === undefined || !isWithin(other, target)) continue;
    const flag = other.pool === undefined ? '' : ` --pool ${other.pool}`;
    lines.push(`override ${otherId} stays: health clear ${targetText(other)}${flag} clears it`);
  }
  return { changes: [{ kind: 'override', id, value: null }], lines };
}

function isWithin(other: Overridden, { address, port, pool }: Overridden): boolean {
  if (other.address !== address) return false;
  const isOf = <T>(wide: T | undefined, narrow: T | undefined) =>
    wide === undefined || wide === narrow;
  return isOf(port, other.port) && isOf(pool, other.pool);
}

export const clear: Run = async (context, args) => {
  const target = targetOf(args);
  return changeSite(context, args, (state) => removal(state, target), describeNamed, ['pools']);
};
