// `l3addnet CIDR HOST DNS1 DNS2`: one record for a prefix whose /30s belong to the VMs of a host.

import { prefixProblem } from '../net/prefix.ts';
import { formatL3Net, type L3Net, MOST_L3_BITS, parseL3Prefix } from '../site/l3net.ts';
import { changeSite } from './change.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import { describeNamed } from './describe.ts';
import { addRecord, addressOf } from './eip.ts';

/** Throws UsageError. */
function wanted({ positionals }: Arguments): L3Net {
  const [cidrText = '', host = '', ...servers] = positionals;
  const cidr = parseL3Prefix(cidrText);
  if (cidr === undefined) {
    const size = `"${cidrText}" is not an IPv4 prefix of /8 to /${MOST_L3_BITS}`;
    throw new UsageError(prefixProblem(cidrText) ?? size);
  }
  return { cidr, host, dns: servers.map((text) => addressOf(text, 'DNS')) };
}

export const l3addnet: Run = (context, args) => {
  const record = formatL3Net(wanted(args));
  const edit = (state: Parameters<typeof addRecord>[0]) => addRecord(state, args, record);
  return changeSite(context, args, edit, describeNamed, ['dhcpd']);
};
