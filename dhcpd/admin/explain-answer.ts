// POST /explain: what a client would be answered now, by the real decision, in the words that
// edgectl shows.

import { formatIpv4 } from '../../shared/net/ipv4.ts';
import type { Asked, Verdict } from '../engine/explain.ts';
import { reasonText } from '../reasons.ts';
import type { DhcpdService } from '../service.ts';
import { MESSAGE } from '../wire/types.ts';
import { address, badQuestion, fieldsOf, hexBytes, macBytes, text } from './question.ts';

const VERDICTS: Record<Verdict, string> = {
  offer: 'offered',
  ack: 'offered',
  nak: 'nak',
  silence: 'silent',
};

export function explainClient(dhcpd: DhcpdService, body: unknown): unknown {
  const { verdict, reason, steps, address: found, last } = dhcpd.server.explain(asked(dhcpd, body));
  return {
    verdict: VERDICTS[verdict],
    reason,
    meaning: reasonText(reason),
    steps,
    ...(found === undefined ? {} : { address: formatIpv4(found) }),
    ...(last === undefined
      ? {}
      : {
          last: {
            time: new Date(last.atMs).toISOString(),
            type: typeName(last.messageType),
            reason: last.reason,
            ...(last.address === undefined ? {} : { address: formatIpv4(last.address) }),
          },
        }),
  };
}

function asked(dhcpd: DhcpdService, body: unknown): Asked {
  const fields = fieldsOf(body);
  const mac = macBytes(fields, 'mac');
  if (mac === undefined) throw badQuestion('mac is missing');
  const clientId = hexBytes(fields, 'clientId');
  const circuitId = hexBytes(fields, 'circuitId');
  const relay = address(fields, 'relay');
  const requested = address(fields, 'requested');
  const name = text(fields, 'link');
  const link = name === undefined ? undefined : dhcpd.wire.links.link(name);
  if (name !== undefined && link === undefined) throw badQuestion(`${name} is not served`);
  return {
    mac,
    ...(clientId === undefined ? {} : { clientId }),
    ...(circuitId === undefined ? {} : { circuitId }),
    ...(relay === undefined ? {} : { relay }),
    ...(requested === undefined ? {} : { address: requested }),
    ...(link === undefined ? {} : { link }),
  };
}

export function typeName(messageType: number): string {
  const found = Object.entries(MESSAGE).find(([, code]) => code === messageType);
  return found?.[0] ?? String(messageType);
}
