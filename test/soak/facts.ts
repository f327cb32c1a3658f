// What a soak has seen, as data: loads, troubles, leases, faults, samples, log records. Times are
// ms since 1970 by this machine's clock, which no fault moves. Pure.

/** The loads that check themselves, and the tools beside them. */
export const LOADS = [
  'eip-flows',
  'eip-requests',
  'vm-flows',
  'l4-flows',
  'l4-requests',
  'l7-http',
  'l7-https',
  'dns',
  'dhcp-new',
  'dhcp-renew',
  'perfdhcp',
  'dnsperf',
  'h2load',
  'iperf3',
] as const;
export type Load = (typeof LOADS)[number];

/** Run by a tool: what it reports is of many seconds, and too coarse to be judged in faults. */
export const TOOLS: readonly Load[] = ['perfdhcp', 'dnsperf', 'h2load', 'iperf3'];

/** Of a load, about a second of one client; of a tool, one run of it. */
export type Tick = {
  load: Load;
  client: string;
  atMs: number; // its end
  spanMs: number;
  done: number;
  failed: number;
  bytes: number;
  meanMs: number; // of what was done; 0 when nothing was
  worstMs: number;
};

/**
 * failed: no answer, or an error; reset: a connection that stood was reset; corrupt: other bytes
 * than wanted; wrong-line: an answer of neither the asker's line nor its overflow; overflow: of the
 * overflow; nak: a holder was refused; duplicate: a tool saw an address twice.
 */
export type TroubleKind =
  | 'failed'
  | 'reset'
  | 'corrupt'
  | 'wrong-line'
  | 'overflow'
  | 'nak'
  | 'duplicate';

export type Trouble = {
  load: Load;
  client: string;
  atMs: number;
  sinceMs: number; // when what went wrong had begun
  kind: TroubleKind;
  what: string;
};

/** An ACK that a client heard; or that it gave its address back (`untilMs` = `atMs`). */
export type Grant = { address: string; mac: string; atMs: number; untilMs: number };

export type FaultSeen = {
  name: string;
  victim: string;
  struckAtMs: number;
  healedAtMs: number;
  recoveredAtMs?: number; // none: not within its deadline
  /** Daemons that it ended, or that it may have ended. */
  struck: readonly string[];
  trouble?: string; // why it could not strike, heal or recover
  isCut?: boolean; // the soak was told to end before all was well
};

export type Sample = {
  daemon: string;
  pid: number;
  atMs: number;
  rssMb: number; // with its workers
  files: number;
  cpuSeconds: number;
  lagMs: number | undefined; // of the event loop, the longest since the sample before
  entries: number | undefined; // of maps in the kernel
};

/** A record of level error, or a line on stderr that is none. */
export type ErrorRecord = { daemon: string; atMs: number; event: string; message: string };

export type Facts = {
  seed: number;
  command: string;
  machine: string;
  versions: Record<string, string>;
  startedAtMs: number;
  endedAtMs: number;
  isInterrupted: boolean;
  ticks: Tick[];
  troubles: Trouble[];
  grants: Grant[];
  faults: FaultSeen[];
  samples: Sample[];
  errors: ErrorRecord[];
  /** What was wrong at the end, each a line: nodes that are not well, doctor, what down() left. */
  end: { what: string; problems: string[] }[];
};

/** `checked`: how many things were looked at; nothing looked at is no success. */
export type Verdict = {
  invariant: string;
  checked: number;
  breaches: string[];
  note?: string;
  /** A machine that is too busy may break it, too. */
  isTimed?: boolean;
};
