// Which live leases a change of the site would break: asked of the dhcpd on this host, which knows
// them all.

import { describeError, OperationalError } from '../errors.ts';
import { formatIpv4, parseIpv4 } from '../net/ipv4.ts';
import { parseMac } from '../net/mac.ts';
import type { Difference } from '../site/diff.ts';
import { parseObject, type SiteObject } from '../site/kinds.ts';
import { type BrokenLease, brokenLeases, type LiveLease } from '../site/lease-impact.ts';
import { isRefusal } from '../site/refusal.ts';
import type { ObjectRecord } from '../store/types.ts';
import type { Arguments } from './command.ts';
import type { Context } from './context.ts';
import { controlOf } from './control.ts';
import { leasePages } from './lease.ts';
import type { SiteState } from './state.ts';

const SHOWN = 20;

/** On stderr; a dhcpd that cannot be asked is told, and no failure. */
export async function tellBrokenLeases(
  context: Context,
  args: Arguments,
  state: SiteState,
  found: readonly Difference[],
): Promise<void> {
  if (!found.some(({ kind }) => kind === 'subnet' || kind === 'reservation')) return;
  const { err } = context;
  let leases: LiveLease[];
  try {
    leases = await liveLeases(context, args);
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    await err.line(`edgectl: live leases were not looked at: ${describeError(error)}`);
    return;
  }
  const broken = brokenLeases(objectsOf(state.records), objectsOf(state.after(found)), leases);
  for (const line of linesOf(broken)) await err.line(`edgectl: ${line}`);
  await err.line(`edgectl: breaks ${broken.length} of ${leases.length} live leases`);
}

function linesOf(broken: readonly BrokenLease[]): string[] {
  const lines = broken.slice(0, SHOWN).map(({ address, why }) => {
    return `breaks the lease of ${formatIpv4(address)}: ${why}`;
  });
  return broken.length > SHOWN ? [...lines, `and ${broken.length - SHOWN} more`] : lines;
}

async function liveLeases(context: Context, args: Arguments): Promise<LiveLease[]> {
  const leases: LiveLease[] = [];
  const control = controlOf(context, args, 'dhcpd');
  for await (const page of leasePages(control, { state: 'bound' })) {
    for (const { lease } of page) {
      const address = parseIpv4(String(lease.address));
      const mac = parseMac(String(lease.mac));
      if (address === undefined) continue;
      const clientId = typeof lease.clientId === 'string' ? { clientId: lease.clientId } : {};
      leases.push({ address, ...(mac === undefined ? {} : { mac }), ...clientId });
    }
  }
  return leases;
}

function* objectsOf(records: ReadonlyMap<string, ObjectRecord>): Generator<SiteObject> {
  for (const record of records.values()) {
    const parsed = parseObject(record);
    if (!isRefusal(parsed)) yield parsed;
  }
}
