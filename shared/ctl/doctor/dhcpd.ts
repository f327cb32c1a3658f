// Doctor: the dhcpd of this host: links with addresses, port 67, pools that run out, and what its
// promises rest on.
import { listOf, numberOf, rowsOf, textOf } from '../control.ts';
import { type Fields, optional } from '../lease.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Host } from './host.ts';
import { portChecks } from './ports.ts';
import { type Daemon, listAt, textAt, valueAt } from './services.ts';

const FULL = 0.9;

export async function dhcpdChecks(host: Host, daemon: Daemon): Promise<Finding[]> {
  const { config, status } = daemon;
  const ports = await portChecks(host, daemon, 'dhcpd.ports', listens(config));
  if (status === undefined) return ports;
  return [...links(config, status), ...ports, ...pools(status), ...durability(status)];
}

function listens(config: Fields): string[] {
  const isNamed = valueAt(config, 'relayed.listen') !== undefined;
  const named = listAt(config, 'relayed.listen').map(String);
  return isNamed ? named : ['0.0.0.0:67'];
}

function links(config: Fields, status: Fields): Finding[] {
  const check = 'dhcpd.links';
  const rows = rowsOf(status, 'links');
  const bare = rows.filter((row) => listOf(row, 'addresses').length === 0);
  return rows.map((row) => {
    const name = textOf(row, 'name');
    const problem = optional(row, 'problem');
    if (problem !== undefined) {
      const remedy = `ip link show ${name}: create it, set it up, or take it out of links`;
      return fail(check, `${name} is not served: ${problem}`, remedy);
    }
    if (!bare.includes(row) || textAt(config, 'serverId') !== undefined) {
      return ok(check, `${name} is served`);
    }
    const what = `${name} has no address: no client there can name this server`;
    return warn(
      check,
      what,
      `ip address add ADDRESS/LENGTH dev ${name}, or serverId in dhcpd.yaml`,
    );
  });
}

function pools(status: Fields): Finding[] {
  const check = 'dhcpd.pools';
  const rows = rowsOf(status, 'networks').filter((row) => numberOf(row, 'total') > 0);
  const full = rows.filter((row) => numberOf(row, 'free') < (1 - FULL) * numberOf(row, 'total'));
  if (full.length === 0) return rows.length === 0 ? [] : [ok(check, 'every network has room')];
  return full.map((row) => {
    const [free, total] = [numberOf(row, 'free'), numberOf(row, 'total')];
    const what = `network ${textOf(row, 'network')} has ${free} of ${total} addresses left`;
    const remedy = 'enlarge its pools, shorten its leases, or see edgectl lease list';
    return free === 0 ? fail(check, what, remedy) : warn(check, what, remedy);
  });
}

function durability(status: Fields): Finding[] {
  const check = 'dhcpd.durability';
  const found = textAt(status, 'leases.durability');
  if (found === undefined) return [];
  if (found !== 'none') return [ok(check, `leases are promised by ${found}`)];
  const what = 'leases are promised by nothing: a crash of Redis may give an address twice';
  return [warn(check, what, 'durability: auto in dhcpd.yaml, and see store.aof')];
}
