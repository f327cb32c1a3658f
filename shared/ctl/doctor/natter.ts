// Doctor: the natter of this host: its links, the filters on them as tc itself shows them, and
// whether what it serves is announced.
import { rowsOf, textOf } from '../control.ts';
import type { Fields } from '../lease.ts';
import { filterOn } from './filters.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Host } from './host.ts';
import { type Daemon, listAt, textAt, valueAt } from './services.ts';

export async function natterChecks(host: Host, { config, status }: Daemon): Promise<Finding[]> {
  if (status === undefined) return [];
  const links = await Promise.all(rowsOf(status, 'links').map((row) => linkCheck(host, row)));
  return [...links, ...announced(config, status)];
}

async function linkCheck(host: Host, row: Fields): Promise<Finding> {
  const check = 'natter.links';
  const link = textOf(row, 'name');
  if (row.ifindex === null) {
    return fail(check, `there is no link ${link}`, `create it, or correct links in natter.yaml`);
  }
  if (row.up !== true) return fail(check, `${link} is down`, `ip link set ${link} up`);
  const isThere = row.attached === true && (await filterOn(host, link, row.hook, 'natter_'));
  if (isThere) return ok(check, `the programs are on ${link}`);
  const remedy = `who took them away? tc filter show dev ${link} ingress, and the log of natter`;
  return fail(check, `the programs are not on ${link}`, remedy);
}

function announced(config: Fields, status: Fields): Finding[] {
  const check = 'natter.announced';
  const wanted = listAt(config, 'announce.prefixes').length > 0;
  if (!wanted && valueAt(config, 'announce.perEip') !== true) return [];
  const state = textAt(status, 'announce.state') ?? 'unknown';
  if (state === 'announced') return [ok(check, 'the EIP prefixes are announced')];
  const remedy = 'see natter.ready above; a drained natter announces nothing: edgectl undrain';
  return [warn(check, `the EIP prefixes are not announced (${state})`, remedy)];
}
