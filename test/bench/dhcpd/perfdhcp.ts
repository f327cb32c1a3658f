// perfdhcp's final report, read; several of them as one; and how it is called. Pure.

/** One kind of answer that perfdhcp waited for. */
export interface Phase {
  sent: number;
  received: number;
  drops: number;
  /** Answers to nothing that it still waits for: late ones and duplicates. */
  orphans: number;
  /** Answers with an address that another client had got before (`-u`). */
  nonUnique: number;
  /** 0 when nothing came. */
  meanDelayMs: number;
}

export interface Report {
  /** Exchanges of four messages that were completed, a second. */
  rate: number;
  offers: Phase;
  acks: Phase;
  renewals: Phase;
  malformed: number;
  /** Addresses in ACKs; empty unless they were asked for. */
  leases: readonly string[];
}

export interface Load {
  server: string;
  relay: string;
  /** Exchanges a second. */
  rate: number;
  seconds: number;
  /** Renewals a second, on top; no more than `rate`. */
  renewals?: number;
  /** Ends after so many exchanges, too. */
  exchanges?: number;
  /** Each load has a number of its own, below 2¹⁵: so no client is ever used twice. */
  number: number;
  /** The report lists the addresses. */
  listed?: boolean;
}

const NO_PHASE: Phase = {
  sent: 0,
  received: 0,
  drops: 0,
  orphans: 0,
  nonUnique: 0,
  meanDelayMs: 0,
};

const FIRST_MAC = 0x0210_0000_0000;
const CLIENTS_A_LOAD = 2 ** 24;

/** A load sends at most so many DISCOVERs, each of another client. */
const clientsOf = ({ rate, seconds, exchanges }: Load): number =>
  Math.min(Math.ceil(rate * seconds), exchanges ?? Number.POSITIVE_INFINITY);

/**
 * Of a load's first client. perfdhcp adds the client's number octet by octet, without a carry: the
 * three octets that it changes must be 0, or two loads would have clients in common.
 */
const macOf = (load: number): string =>
  ((FIRST_MAC + load * CLIENTS_A_LOAD).toString(16).padStart(12, '0').match(/../g) ?? []).join(':');

/**
 * `-g single`: it sends and receives on one thread. On two cores, one of them the server's, that
 * carries the higher rate.
 */
export function perfdhcpArguments(load: Load): string[] {
  const { rate, seconds, renewals, exchanges, listed } = load;
  return [
    ...['-4', '-g', 'single', '-u', '-l', load.relay],
    ...['-r', String(rate), '-p', String(seconds)],
    // One more than can be sent: with -R 1 all would be one client.
    ...['-R', String(clientsOf(load) + 1), '-b', `mac=${macOf(load.number)}`],
    ...(renewals === undefined ? [] : ['-f', String(renewals)]),
    ...(exchanges === undefined ? [] : ['-n', String(exchanges)]),
    ...(listed ? ['-x', 'l'] : []),
    load.server,
  ];
}

function numberAfter(text: string, label: string): number {
  const found = new RegExp(`^${label}: (\\d+(?:\\.\\d+)?)`, 'm').exec(text)?.[1];
  if (found === undefined) throw new Error(`perfdhcp did not say "${label}":\n${text}`);
  return Number(found);
}

/** What stands between a heading and the next one. */
function section(text: string, heading: string): string | undefined {
  const mark = `***${heading}***\n`;
  const start = text.indexOf(mark);
  if (start < 0) return undefined;
  const end = text.indexOf('***', start + mark.length);
  return text.slice(start + mark.length, end < 0 ? text.length : end);
}

function phase(text: string, name: string): Phase | undefined {
  const found = section(text, `Statistics for: ${name}`);
  if (found === undefined) return undefined;
  const received = numberAfter(found, 'received packets');
  return {
    sent: numberAfter(found, 'sent packets'),
    received,
    drops: numberAfter(found, 'drops'),
    orphans: numberAfter(found, 'orphans'),
    nonUnique: numberAfter(found, 'non unique addresses'),
    meanDelayMs: received === 0 ? 0 : numberAfter(found, 'avg delay'),
  };
}

function needed(text: string, name: string): Phase {
  const found = phase(text, name);
  if (found === undefined) throw new Error(`perfdhcp reported no ${name}:\n${text.slice(0, 2000)}`);
  return found;
}

/** A header line, then `client,address,prefix`. */
function leases(text: string): string[] {
  const lines = section(text, 'Leases for REQUEST-ACK')?.split('\n').slice(1) ?? [];
  return lines.flatMap((line) => line.split(',')[1] ?? []);
}

/** Of its standard output. */
export function parseReport(text: string): Report {
  const acks = needed(text, 'REQUEST-ACK');
  const renewals = phase(text, 'REQUEST-ACK (renewal)') ?? NO_PHASE;
  return {
    rate: numberAfter(text, 'Rate'),
    offers: needed(text, 'DISCOVER-OFFER'),
    // It looks for the answer to a renewal among the first requests before.
    acks: { ...acks, orphans: Math.max(0, acks.orphans - renewals.received) },
    renewals,
    malformed: numberAfter(text, 'Malformed packets'),
    leases: leases(text),
  };
}

function mergedPhase(phases: readonly Phase[]): Phase {
  const sum = (of: (phase: Phase) => number): number =>
    phases.reduce((total, each) => total + of(each), 0);
  const received = sum((each) => each.received);
  return {
    sent: sum((each) => each.sent),
    received,
    drops: sum((each) => each.drops),
    orphans: sum((each) => each.orphans),
    nonUnique: sum((each) => each.nonUnique),
    meanDelayMs: received && sum((each) => each.meanDelayMs * each.received) / received,
  };
}

/** Reports of loads that ran side by side. What is listed by two of them was given twice. */
export function mergeReports(reports: readonly Report[]): Report {
  const addresses = reports.flatMap((report) => report.leases);
  const acks = mergedPhase(reports.map((report) => report.acks));
  const [alone] = reports;
  // Within one of them perfdhcp has counted already.
  const within = reports.reduce((sum, { leases }) => sum + new Set(leases).size, 0);
  const across = within - new Set(addresses).size;
  if (alone === undefined) throw new RangeError('a report of nothing');
  return {
    rate: reports.reduce((sum, report) => sum + report.rate, 0),
    offers: mergedPhase(reports.map((report) => report.offers)),
    acks: { ...acks, nonUnique: acks.nonUnique + across },
    renewals: mergedPhase(reports.map((report) => report.renewals)),
    malformed: reports.reduce((sum, report) => sum + report.malformed, 0),
    leases: addresses,
  };
}

export const dropShare = ({ sent, drops }: Phase): number => (sent === 0 ? 0 : drops / sent);

/** Why the server's answers are wrong, whatever the rate; undefined: they are not. */
export function violation(report: Report): string | undefined {
  if (report.acks.nonUnique > 0) {
    return `${report.acks.nonUnique} ACKs gave an address that another client holds`;
  }
  return report.malformed > 0 ? `${report.malformed} malformed packets` : undefined;
}
