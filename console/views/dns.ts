// DNS: answers by line and rcode, and the zones. Pure.
import { fields, list, name, number, rows } from '../collect/shapes.ts';
import type { SiteReading } from '../collect/types.ts';
import { pagesOf, ratesBy, valuesBy } from './sums.ts';
import {
  byNumber,
  byText,
  column,
  type Level,
  problemsOf,
  type Row,
  type Section,
  type Table,
  worstFirst,
} from './types.ts';

const LEVELS: Readonly<Record<string, Level>> = { SERVFAIL: 'warn' };

export function dnsSection(site: SiteReading): Section {
  const zones = zoneRows(site);
  const tell = ({ values }: Row) => ({
    what: `zone ${values.zone} on ${values.node} is not right`,
    why: String(values.problem),
  });
  const byRcode = countTable(site, {
    id: 'rcodes',
    title: 'Answers by rcode',
    metric: 'edge_dns_responses_total',
    label: 'rcode',
    empty: 'No query was answered yet.',
  });
  const noisy = byRcode.rows.filter(({ level }) => level !== 'ok');
  return {
    id: 'dns',
    title: 'DNS',
    tables: [
      countTable(site, {
        id: 'lines',
        title: 'Answers by line',
        metric: 'edge_dns_line_answers_total',
        label: 'line',
        empty: 'No answer depended on a line yet.',
      }),
      byRcode,
      zoneTable(zones),
    ],
    problems: [
      ...problemsOf('dns', zones, tell),
      ...problemsOf('dns', noisy, ({ values }) => ({
        what: `queries are answered with ${values.rcode}`,
        why: `${Number(values.perSecond).toPrecision(2)} a second`,
      })),
    ],
  };
}

type CountTable = { id: string; title: string; metric: string; label: string; empty: string };

function countTable(site: SiteReading, of: CountTable): Table {
  const key = (labels: Readonly<Record<string, string>>) => labels[of.label];
  const rates = ratesBy(site, of.metric, key);
  const all = [...valuesBy(site, of.metric, key)].map(([what, count]): Row => {
    const perSecond = rates.get(what) ?? null;
    const level = (perSecond ?? 0) > 0 ? (LEVELS[what] ?? 'ok') : 'ok';
    return { level, values: { [of.label]: name(what), perSecond, count } };
  });
  const sum = all.reduce((total, { values }) => total + Number(values.perSecond ?? 0), 0);
  const shared = all.map(({ level, values }) => {
    const part = sum > 0 ? Number(values.perSecond ?? 0) / sum : null;
    return { level, values: { ...values, part } };
  });
  return {
    id: of.id,
    title: of.title,
    columns: [
      column(of.label, of.label),
      column('perSecond', 'answers', 'rate'),
      column('part', 'of all', 'bar'),
      column('count', 'since the start', 'count'),
    ],
    rows: worstFirst(shared, byNumber('count')),
    total: shared.length,
    empty: of.empty,
  };
}

function zoneRows(site: SiteReading): Row[] {
  const all = pagesOf(site, 'dns', 'status').flatMap(({ node, page }) =>
    rows(fields(page).zones).map((zone) => zoneRow(name(node), zone)),
  );
  return worstFirst(all, (a, b) => byText(String(a.values.zone), String(b.values.zone)));
}

function zoneRow(node: string, zone: ReturnType<typeof fields>): Row {
  const [problem, warning] = [list(zone.problems), list(zone.warnings)];
  const level: Level = problem !== '' ? 'bad' : warning !== '' ? 'warn' : 'ok';
  const state = problem !== '' ? 'refused' : warning !== '' ? 'served, but' : 'served';
  return {
    level,
    values: {
      zone: name(zone.zone),
      node,
      state,
      problem: problem || warning || null,
      source: name(zone.source) || null,
      serial: number(zone.serial),
      records: number(zone.records),
    },
  };
}

function zoneTable(zones: readonly Row[]): Table {
  return {
    id: 'zones',
    title: 'Zones',
    columns: [
      column('zone', 'zone'),
      column('node', 'node'),
      column('state', 'state', 'level'),
      column('problem', 'what is wrong'),
      column('source', 'from'),
      column('serial', 'serial'),
      column('records', 'records', 'count'),
    ],
    rows: zones,
    total: zones.length,
    empty: 'No zone is served.',
  };
}
