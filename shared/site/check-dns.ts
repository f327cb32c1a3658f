// What only shows when all objects of dns and of pools are seen together. Pure; each object is
// looked at once, for a site may have a hundred thousand records.
import type { SiteProblem } from './check.ts';
import type { DnsIndex } from './dns-index.ts';
import type { RecordObject, SmartRecord } from './dns-objects.ts';
import { overrideId } from './override.ts';
import { siteIdOf } from './place.ts';
import type { Pool } from './pool-objects.ts';
import type { ObjectProblem } from './problem.ts';
import { isSmart, recordId } from './record.ts';
import { sourcePath } from './smart-record.ts';
import { familyOfPool } from './target-pool.ts';

type Report = (problem: SiteProblem) => void;

export function checkDns(site: DnsIndex, problems: SiteProblem[]): void {
  const report: Report = (problem) => problems.push(problem);
  for (const line of site.lines.values()) {
    for (const [index, other] of line.fallback.entries()) {
      if (site.hasLine(other)) continue;
      report({ kind: 'line', id: line.name, ...unknownLine(other), at: ['fallback', index] });
    }
  }
  const types = typesByName(site.records);
  for (const record of site.records) {
    const say: Say = (problem) => report({ ...recordAt(record), ...problem });
    checkNeighbours(record, types.get(record.name) ?? [], say);
    checkZone(site, record, say);
    if (isSmart(record)) checkSources(site, record, say);
  }
  for (const override of site.overrides) {
    if (override.pool === undefined || site.pools.has(override.pool)) continue;
    const id = overrideId(override);
    report({ kind: 'override', id, ...unknownPool(override.pool), at: ['pool'] });
  }
}

type Say = (problem: ObjectProblem) => void;

/** For a problem of it. */
export function recordAt(record: RecordObject) {
  return { kind: 'record' as const, id: siteIdOf('dns', 'record', recordId(record)) };
}

function typesByName(records: readonly RecordObject[]): Map<string, string[]> {
  const types = new Map<string, string[]>();
  for (const { name, type } of records) {
    const known = types.get(name);
    if (known === undefined) types.set(name, [type]);
    else known.push(type);
  }
  return types;
}

/** What may stand beside a CNAME: its proofs (RFC 4034 §3, §4; RFC 2181 §10.1). */
const BESIDE_CNAME: ReadonlySet<string> = new Set(['CNAME', 'RRSIG', 'NSEC', 'KEY', 'SIG', 'NXT']);

function checkNeighbours({ type }: RecordObject, all: readonly string[], say: Say): void {
  if (type === 'CNAME') {
    const others = all.filter((other) => !BESIDE_CNAME.has(other));
    if (others.length === 0) return;
    const message = `a CNAME beside ${others.join(', ')}`;
    say({ message, remedy: 'a name with a CNAME has nothing else', at: ['type'] });
  } else if (type === 'ALIAS') {
    const others = all.filter((other) => other === 'A' || other === 'AAAA');
    if (others.length === 0) return;
    const message = `an ALIAS beside ${others.join(', ')}`;
    say({ message, remedy: 'its target gives the name both A and AAAA', at: ['type'] });
  }
}

function checkZone(site: DnsIndex, { name, type }: RecordObject, say: Say): void {
  const zone = site.zoneOf(name);
  if (zone === undefined) return;
  if (zone.primaries.length > 0) {
    const message = `zone ${zone.name} is transferred in: its records are those of its primaries`;
    say({ message, remedy: 'change it there', at: ['name'] });
  } else if (type === 'CNAME' && zone.name === name) {
    const message = `a CNAME at the apex of zone ${name}, which has an SOA`;
    say({ message, remedy: 'an ALIAS does there what is meant', at: ['type'] });
  }
}

function checkSources(site: DnsIndex, record: SmartRecord, say: Say): void {
  for (const [line, { sources }] of record.lines) {
    if (!site.hasLine(line)) say({ ...unknownLine(line), at: ['lines', line] });
    for (const [index, source] of sources.entries()) {
      if (!('pool' in source)) continue;
      const at = [...sourcePath(line, index, sources.length), 'pool'];
      const pool = site.pools.get(source.pool);
      if (pool === undefined) say({ ...unknownPool(source.pool), at });
      else checkPool(record, pool, (message) => say({ message, at }));
    }
  }
}

function checkPool({ type }: SmartRecord, pool: Pool, say: (message: string) => void): void {
  const addresses = pool.targets.map(({ address }) => address);
  const twice = addresses.find((address, index) => addresses.indexOf(address) < index);
  if (twice !== undefined) {
    say(`pool ${pool.name} has ${twice} at several ports, and an answer has addresses alone`);
  }
  const family = familyOfPool(pool);
  const wanted = type === 'A' ? 4 : 6;
  if (family === undefined || family === wanted) return;
  say(`pool ${pool.name} has IPv${family} addresses, but ${type} is for IPv${wanted}`);
}

function unknownLine(name: string) {
  const remedy = `add it under lines: one that only list files fill is { name: ${name} }`;
  return { message: `there is no line ${JSON.stringify(name)}`, remedy };
}

function unknownPool(name: string) {
  return { message: `there is no pool ${JSON.stringify(name)}`, remedy: 'add it under pools' };
}
