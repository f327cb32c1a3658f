// perfdhcp as a load of many clients, each with a MAC of its own, and all that a server has bound.
import {
  mergeReports,
  parseReport,
  perfdhcpArguments,
  type Report,
} from '../../bench/dhcpd/perfdhcp.ts';
import type { Machine } from './clients-machines.ts';
import type { Dhcpd, LeaseRow } from './clients-site.ts';

export type Share = { server: string; relay: string };

let loads = 0;

/** A perfdhcp for each server, side by side; each with clients of its own. */
export async function load(
  machine: Machine,
  shares: readonly Share[],
  rate: number,
  seconds: number,
): Promise<Report> {
  const runs = shares.map(async (share) => {
    const args = perfdhcpArguments({ ...share, rate, seconds, number: loads++, listed: true });
    // It waits a little for the last answers.
    const { stdout, stderr } = await machine.run('perfdhcp', '-W', '500000', ...args);
    if (stdout === '') throw new Error(`perfdhcp: ${stderr}`);
    return parseReport(stdout);
  });
  return mergeReports(await Promise.all(runs));
}

/** All of them, page by page. */
export async function boundLeases(daemon: Dhcpd): Promise<LeaseRow[]> {
  const rows: LeaseRow[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const query = `/leases?state=bound&limit=1000${after === '' ? '' : `&after=${after}`}`;
    const page = (await daemon.control('GET', query)) as { leases: LeaseRow[]; next?: string };
    rows.push(...page.leases);
    after = page.next;
  }
  return rows;
}
