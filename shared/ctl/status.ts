// `status`: one row a service. `nodes`: one row an instance.

import { SERVICES, type Service } from '../site/place.ts';
import type { Store } from '../store/types.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit.ts';
import {
  appliedVersion,
  type Followed,
  formatAge,
  type Heard,
  headsOf,
  isLive,
  lagOfAll,
} from './members.ts';
import { withStore } from './session.ts';
import { didYouMean } from './suggest.ts';
import { type Column, writeJsonArray, writeTable } from './table.ts';

type ServiceView = { service: Service; followed: Followed[]; members: Heard[] };

async function look(store: Store, services: readonly Service[]): Promise<ServiceView[]> {
  return Promise.all(
    services.map(async (service) => {
      const members = await store.members(service);
      const followed = await headsOf(store, service); // after the members: none is ahead by rights
      return { service, followed, members };
    }),
  );
}

function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
}

function summary(view: ServiceView) {
  const live = view.members.filter(isLive);
  const drifting = live.flatMap((member) => {
    const drift = lagOfAll(member, view.followed);
    return drift === undefined ? [] : [{ node: member.node, drift }];
  });
  return {
    service: view.service,
    live: live.length,
    silent: view.members.length - live.length,
    states: tally(live.map((member) => member.state)),
    versions: [...new Set(live.map((member) => member.version))],
    objects: view.followed.reduce((sum, { head }) => sum + head.count, 0),
    desired: view.followed[0]?.head.version ?? 0,
    units: view.followed.map(({ unit, head }) => ({ unit, desired: head.version })),
    drifting,
  };
}

type Summary = ReturnType<typeof summary>;

/** Of one that follows several units, each with its name. */
function byUnit<T extends { unit: string }>(
  units: readonly T[],
  text: (unit: T) => unknown,
): string {
  if (units.length === 1) return units.map(text).join();
  return units.map((each) => `${each.unit}:${text(each)}`).join(' ');
}

const SERVICE_COLUMNS: readonly Column<Summary>[] = [
  { title: 'SERVICE', value: (row) => row.service },
  { title: 'LIVE', right: true, value: (row) => row.live },
  {
    title: 'SILENT',
    right: true,
    value: (row) => row.silent,
    colour: (row) => (row.silent > 0 ? 'yellow' : undefined),
  },
  { title: 'STATES', value: (row) => row.states },
  { title: 'VERSIONS', value: (row) => row.versions.join(', ') },
  { title: 'OBJECTS', right: true, value: (row) => row.objects },
  { title: 'DESIRED', right: true, value: (row) => byUnit(row.units, (each) => each.desired) },
  {
    title: 'DRIFTING',
    right: true,
    value: (row) => row.drifting.length,
    colour: (row) => (row.drifting.length > 0 ? 'red' : undefined),
  },
];

/**
 * Services of which nothing was ever stored or heard are not this site's; what others follow, too,
 * says nothing of them.
 */
function known(views: readonly ServiceView[]): readonly ServiceView[] {
  const found = views.filter(({ members, followed: [own] }) => {
    return members.length > 0 || (own?.head.version ?? 0) > 0;
  });
  return found.length > 0 ? found : views;
}

export const status: Run = (context, args) =>
  withStore(context, args, async (store) => {
    const rows = known(await look(store, SERVICES)).map(summary);
    if (args.switches.has('json')) {
      await context.out.line(JSON.stringify({ services: rows }, null, 2));
    } else {
      await writeTable(context.out, SERVICE_COLUMNS, rows);
      for (const { node, drift } of rows.flatMap((row) => row.drifting)) {
        await context.out.line(context.out.paint('red', `${node}: ${drift}`));
      }
    }
    if (rows.every((row) => row.live === 0)) {
      await context.err.line('edgectl: nothing runs: no instance was heard of lately');
      return EXIT.notRunning;
    }
    return rows.some((row) => row.drifting.length > 0) ? EXIT.failure : EXIT.ok;
  });

type Instance = {
  member: Heard;
  drift: string | undefined;
  /** Its own unit first. */
  units: { unit: string; applied: number; desired: number }[];
};

const NODE_COLUMNS: readonly Column<Instance>[] = [
  { title: 'NODE', value: ({ member }) => member.node },
  { title: 'SERVICE', value: ({ member }) => member.service },
  {
    title: 'STATE',
    value: ({ member }) => (isLive(member) ? member.state : 'silent'),
    colour: ({ member }) => (isLive(member) ? undefined : 'yellow'),
  },
  { title: 'VERSION', value: ({ member }) => member.version },
  { title: 'APPLIED', right: true, value: ({ units }) => byUnit(units, appliedText) },
  {
    title: 'DRIFT',
    value: ({ drift }) => drift,
    colour: ({ drift }) => (drift === undefined ? undefined : 'red'),
  },
  { title: 'AGE', right: true, value: ({ member }) => formatAge(member.ageMs) },
];

function appliedText({ applied, desired }: { applied: number; desired: number }): string {
  return `${applied}/${desired}`;
}

function servicesAsked(args: Arguments): readonly Service[] {
  const name = args.values.get('service');
  if (name === undefined) return SERVICES;
  const found = SERVICES.filter((service) => service === name);
  if (found.length > 0) return found;
  throw new UsageError(`unknown service "${name}"${didYouMean(name, SERVICES)}`);
}

function instances(view: ServiceView): Instance[] {
  return view.members.map((member) => ({
    member,
    drift: lagOfAll(member, view.followed),
    units: view.followed.map(({ unit, head }) => ({
      unit,
      applied: appliedVersion(member, unit),
      desired: head.version,
    })),
  }));
}

/** The stable fields of `nodes --json`. */
function nodeJson({ member, drift, units }: Instance) {
  return {
    node: member.node,
    service: member.service,
    live: isLive(member),
    state: member.state,
    version: member.version,
    applied: units[0]?.applied ?? 0,
    desired: units[0]?.desired ?? 0,
    units,
    drift: drift ?? null,
    address: member.address ?? null,
    startedAt: new Date(member.startedAt).toISOString(),
    ageMs: member.ageMs,
  };
}

export const nodes: Run = (context: Context, args) =>
  withStore(context, args, async (store) => {
    const rows = (await look(store, servicesAsked(args))).flatMap(instances);
    if (args.switches.has('json')) {
      await writeJsonArray(context.out, rows.map(nodeJson));
      await context.out.write('\n');
    } else {
      await writeTable(context.out, NODE_COLUMNS, rows);
    }
    if (rows.length > 0) return EXIT.ok;
    await context.err.line('edgectl: nothing runs: no instance was heard of within a day');
    return EXIT.notRunning;
  });
