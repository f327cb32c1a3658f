// POST /explain: what a client would be answered now, by the real decision, in the words that
// edgectl shows.

import { OperationalError } from '../../shared/errors.ts';
import { formatIpv4 } from '../../shared/net/ipv4.ts';
import { vmLinkOf, vmOfMac } from '../../shared/net/vm-link.ts';
import type { Asked, Verdict } from '../engine/explain.ts';
import type { Link } from '../io/types.ts';
import { reasonText } from '../reasons.ts';
import type { DhcpdService } from '../service.ts';
import { MESSAGE } from '../wire/types.ts';
import { clientIdOfMac } from './lease-pages.ts';
import { address, badQuestion, fieldsOf, hexBytes, macBytes, text } from './question.ts';

const VERDICTS: Record<Verdict, string> = {
  offer: 'offered',
  ack: 'offered',
  nak: 'nak',
  silence: 'silent',
};

export async function explainClient(dhcpd: DhcpdService, body: unknown): Promise<unknown> {
  const question = asked(dhcpd, body);
  const named = question.clientId === undefined ? await knownId(dhcpd, question.mac) : undefined;
  const client = named === undefined ? {} : { clientId: new Uint8Array(Buffer.from(named, 'hex')) };
  const explained = dhcpd.server.explain({ ...question, ...client });
  const { verdict, reason, steps, address: found, last } = explained;
  return {
    verdict: VERDICTS[verdict],
    reason,
    meaning: reasonText(reason),
    steps: named === undefined ? steps : [`its lease goes by client identifier ${named}`, ...steps],
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

/** In hex. Without the store nobody knows: then the MAC alone is asked about. */
async function knownId(dhcpd: DhcpdService, mac: Uint8Array): Promise<string | undefined> {
  try {
    return await clientIdOfMac(dhcpd, mac);
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return undefined;
  }
}

function servedLink(dhcpd: DhcpdService, name: string): Link {
  const { links } = dhcpd.wire;
  const link = links.link(name);
  if (link !== undefined) return link;
  const served = links.states.filter((state) => state.link !== undefined).map((one) => one.name);
  const remedy = served.length === 0 ? 'no link is: name a relay' : `served: ${served.join(', ')}`;
  throw badQuestion(`${name} is no link that is served here`, remedy);
}

/** The bridge of the /30 that the MAC says: where else would its VM be. */
function ownBridge(dhcpd: DhcpdService, mac: Uint8Array): Link | undefined {
  const vm = vmOfMac(mac);
  if (vm === undefined) return undefined;
  const { gateway } = vmLinkOf(vm);
  const links = dhcpd.wire.links.states.flatMap(({ link }) => (link === undefined ? [] : [link]));
  return links.find(({ addresses }) => addresses.some((one) => one.address === gateway));
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
  const presumed = relay === undefined ? ownBridge(dhcpd, mac) : undefined;
  const link = name === undefined ? presumed : servedLink(dhcpd, name);
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
