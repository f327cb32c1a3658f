// Facts of a soak in which nothing went wrong, for tests to plant a breach in.
import type { Facts, FaultSeen, Sample, Tick, Trouble } from '../../soak/facts.ts';

/** When the soak began. */
export const START_MS = Date.UTC(2026, 0, 1);
/** Seconds after it. */
export const at = (seconds: number): number => START_MS + 1000 * seconds;

export const tick = (fields: Partial<Tick> = {}): Tick => ({
  load: 'l7-http',
  client: 'telecom',
  atMs: at(1),
  spanMs: 1000,
  done: 4,
  failed: 0,
  bytes: 0,
  meanMs: 5,
  worstMs: 9,
  ...fields,
});

export const trouble = (fields: Partial<Trouble> = {}): Trouble => ({
  load: 'l7-http',
  client: 'telecom',
  atMs: at(5),
  sinceMs: at(5),
  kind: 'failed',
  what: 'no answer',
  ...fields,
});

/** From second 20 to 30: of lb-1, which is killed, and back. */
export const fault = (fields: Partial<FaultSeen> = {}): FaultSeen => ({
  name: 'kill',
  victim: 'lb-1',
  struckAtMs: at(20),
  healedAtMs: at(25),
  recoveredAtMs: at(30),
  struck: ['lb-1'],
  ...fields,
});

export const sample = (fields: Partial<Sample> = {}): Sample => ({
  daemon: 'dns-1',
  pid: 100,
  atMs: at(0),
  rssMb: 90,
  files: 40,
  cpuSeconds: 1,
  lagMs: 3,
  entries: undefined,
  ...fields,
});

export const facts = (fields: Partial<Facts> = {}): Facts => ({
  seed: 1,
  command: 'npm run soak',
  machine: 'a machine',
  versions: { node: 'v24' },
  startedAtMs: START_MS,
  endedAtMs: at(600),
  isInterrupted: false,
  ticks: [tick()],
  troubles: [],
  grants: [{ address: '10.0.0.1', mac: '02:00:00:00:00:01', atMs: at(1), untilMs: at(61) }],
  faults: [],
  samples: [sample()],
  errors: [],
  end: [{ what: 'site', problems: [] }],
  ...fields,
});
