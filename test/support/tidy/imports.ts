// Who may import whom: the table "Rooms" of docs/ARCHITECTURE.md, kept by the tidy test.
import type { Finding } from './finding.ts';
import type { Module } from './source.ts';

const services = ['natter', 'dhcpd', 'dns', 'lb', 'console'] as const;

/** Each package has one room, so that it can be replaced there. */
const packageRooms: Record<string, readonly string[]> = {
  ioredis: ['shared/store/'],
  koffi: ['shared/bpf/'],
  yaml: ['shared/config/'],
  pino: ['shared/log.ts'],
  'prom-client': ['shared/metrics.ts'],
  mysql2: ['natter/'],
  'raw-socket': ['shared/health/'],
  cap: ['dhcpd/'],
  zod: ['shared/', 'lab/host/', ...services.map((service) => `${service}/`)],
};

type Room = { room: string; may: readonly string[]; pure?: true };

const foundation = ['shared/bytes.ts', 'shared/errors.ts', 'shared/net/'];

/**
 * The first room that a path lies in counts. What a room may import besides itself; packages aside.
 */
const rooms: readonly Room[] = [
  { room: 'shared/net/', may: [], pure: true },
  { room: 'shared/errors.ts', may: [], pure: true },
  { room: 'shared/bytes.ts', may: [], pure: true },
  { room: 'shared/clock.ts', may: [] },
  { room: 'shared/random.ts', may: [] },
  { room: 'shared/coalesced.ts', may: [] },
  { room: 'shared/pretty.ts', may: [], pure: true },
  { room: 'shared/config/', may: [...foundation, 'node:'] },
  { room: 'shared/log.ts', may: [...foundation, 'shared/clock.ts', 'shared/pretty.ts'] },
  { room: 'shared/metrics.ts', may: ['shared/clock.ts'] },
  {
    room: 'shared/admin/',
    may: [...foundation, 'shared/log.ts', 'shared/metrics.ts', 'shared/small-file.ts', 'node:'],
  },
  {
    room: 'shared/bpf/',
    may: [...foundation, 'node:'],
  },
  {
    room: 'shared/links/',
    may: [
      ...foundation,
      'shared/bpf/',
      'shared/iproute.ts',
      'shared/clock.ts',
      'shared/log.ts',
      'node:',
    ],
  },
  {
    room: 'shared/store/',
    may: [
      ...foundation,
      'shared/config/',
      'shared/log.ts',
      'shared/clock.ts',
      'shared/random.ts',
      'node:',
    ],
  },
  {
    room: 'shared/dhcp/',
    may: [...foundation, 'shared/config/suggest.ts'],
    pure: true,
  },
  // Signatures are node:crypto's.
  { room: 'shared/dns/', may: [...foundation, 'shared/site/dns-objects.ts'], pure: true },
  {
    room: 'shared/site/',
    may: [
      ...foundation,
      'shared/config/',
      'shared/dhcp/',
      'shared/dns/',
      'shared/health/types.ts',
      'shared/store/types.ts',
    ],
    pure: true,
  },
  { room: 'shared/ctl/', may: ['shared/', 'node:'] },
  { room: 'shared/', may: ['shared/', 'node:'] },
  { room: 'natter/mapping.ts', may: ['shared/net/', 'natter/'], pure: true },
  { room: 'natter/mapping/', may: ['shared/net/', 'natter/'], pure: true },
  { room: 'natter/table.ts', may: ['shared/net/', 'shared/site/', 'natter/'], pure: true },
  ...services.map((service) => ({ room: `${service}/`, may: ['shared/', 'node:'] })),
  { room: 'lab/', may: ['shared/', 'node:'] },
  { room: 'deploy/', may: ['node:'] },
];

/** Only a program's outermost file knows its process; the rest is handed what it needs. */
const knowsProcess = /(^|\/)main\.ts$|^test\/|^deploy\/|^[^/]+\.ts$|^lab\/|^shared\/ctl\//;
/** The one place of each that is injected everywhere else. */
const knowsTime = new Set(['shared/clock.ts', 'shared/random.ts']);

export function importFindings(modules: readonly Module[]): Finding[] {
  const byPath = new Map(modules.map((each) => [each.path, each]));
  return modules
    .filter(({ path }) => !/^test\/|^[^/]+\.config\.ts$/.test(path))
    .flatMap((each) => [...findingsOf(each), ...reachFindings(each, byPath)]);
}

/** What a file says of itself at its top counts as much as the table. */
const saysPure = /^(\/\/.*\n)*\/\/(.*[ .])?Pure\b/;

function roomOf(path: string): Room | undefined {
  return rooms.find((each) => path.startsWith(each.room));
}

/** What has to be pure for this file's sake: its room, or itself. */
function pureOf({ path, text }: Module): string | undefined {
  const room = roomOf(path);
  return room?.pure ? room.room : saysPure.test(text) ? path : undefined;
}

/** What a pure file reaches by way of others has to be pure, too. */
function reachFindings(module: Module, byPath: ReadonlyMap<string, Module>): Finding[] {
  const pure = pureOf(module);
  if (pure === undefined) return [];
  return module.imports.flatMap(({ target: first, line }) => {
    const reached = new Set(byPath.get(first)?.imports.map(({ target }) => target));
    for (const target of reached) {
      const message = `${pure} is pure: ${first} leads to ${target}`;
      if (target.startsWith('node:')) return [{ path: module.path, line, message }];
      for (const next of byPath.get(target)?.imports ?? []) reached.add(next.target);
    }
    return [];
  });
}

function findingsOf(module: Module): Finding[] {
  const { path, imports, globals } = module;
  const room = roomOf(path);
  const pure = pureOf(module);
  const forbidden = imports.flatMap(({ target, line }) => {
    const message =
      pure && target.startsWith('node:')
        ? `${pure} is pure: no ${target}`
        : importProblem(path, room, target);
    return message === undefined ? [] : [{ path, line, message }];
  });
  const reached = globals.flatMap(({ name, line }) => {
    const message = globalProblem(path, pure, name);
    return message === undefined ? [] : [{ path, line, message }];
  });
  return [...forbidden, ...reached];
}

function importProblem(path: string, room: Room | undefined, target: string): string | undefined {
  const isModule = target.includes('/') && target.endsWith('.ts');
  if (!isModule && !target.startsWith('node:')) return packageProblem(path, target);
  if (room === undefined) return undefined;
  if (
    path.startsWith('shared/') &&
    !path.startsWith('shared/ctl/') &&
    target.startsWith('shared/ctl/')
  ) {
    return `only edgectl imports ${target}`;
  }
  const allowed = [room.room, ...room.may].some((each) => target.startsWith(each));
  return allowed ? undefined : `${room.room} may not import ${target}`;
}

function packageProblem(path: string, name: string): string | undefined {
  const homes = packageRooms[name];
  if (homes === undefined) return `${name} has no room: give it one in docs/ARCHITECTURE.md`;
  if (homes.some((home) => path.startsWith(home))) return undefined;
  return `${name} may only be imported in ${homes.join(', ')}`;
}

function globalProblem(path: string, pure: string | undefined, name: string): string | undefined {
  if (name === 'process')
    return knowsProcess.test(path) ? undefined : 'only a main.ts reads process.*';
  if (pure && !knowsTime.has(path)) return `${pure} is pure: no ${name}`;
  return undefined;
}
