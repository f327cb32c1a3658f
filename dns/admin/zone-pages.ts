// GET /zones and GET /zone: what zones are served, and one of them as a zone file.
import { ByteStream } from '../../shared/admin/control.ts';
import { displayName } from '../../shared/dns/names.ts';
import { printZone } from '../../shared/dns/zone/print.ts';
import { RecordList } from '../../shared/dns/zone/record-list.ts';
import { digestOf, recordsOf } from '../image/records.ts';
import type { ZoneImage } from '../image/types.ts';
import type { DnsService } from '../service.ts';
import { problemText } from '../zones/part.ts';
import { badQuestion, readName } from './question.ts';

export function zoneRows({ zones }: DnsService) {
  const awaited = new Set(zones.awaited);
  const names = new Set([...zones.served.keys(), ...zones.refused.keys(), ...awaited]);
  const { shadowed } = zones.book;
  const shadowing = (name: string) =>
    shadowed.flatMap(({ zone, source, by }) =>
      zone === name ? [`that of ${source} is not served: ${by} has it, too`] : [],
    );
  return [...names].sort().map((zone) => {
    const served = zones.served.get(zone);
    const refused = zones.refused.get(zone);
    return {
      zone,
      source: served?.source ?? refused?.source ?? null,
      serial: served?.image.serial ?? null,
      records: served?.image.recordCount ?? 0,
      names: served?.image.names ?? 0,
      loadedAt: served === undefined ? null : new Date(served.loadedAtMs).toISOString(),
      warnings: [...(served?.warnings ?? []).map(problemText), ...shadowing(zone)],
      problems: awaited.has(zone)
        ? ['nothing has come from a primary yet, or it has expired']
        : (refused?.problems ?? []).map(problemText),
    };
  });
}

/** Of each image once: it never changes, and who asks on the admin port is anybody. */
const digests = new WeakMap<ZoneImage, string>();

function digestOnce(image: ZoneImage): string {
  const digest = digests.get(image) ?? digestOf(image);
  digests.set(image, digest);
  return digest;
}

/** GET /zones of the admin port. `asked`: only these, and with their digests. */
export function zoneVersions({ zones }: DnsService, asked: readonly string[]): unknown {
  const names = asked.map((text) => displayName(readName(text)));
  const served = [...zones.served].filter(([zone]) => asked.length === 0 || names.includes(zone));
  return {
    zones: served.map(([zone, { source, image }]) => ({
      zone,
      source,
      serial: image.serial,
      records: image.recordCount,
      ...(asked.length === 0 ? {} : { digest: digestOnce(image) }),
    })),
  };
}

/** `zone`: the name; `digest`: SHA-1 of its content instead of the file. */
export function zonePage(dns: DnsService, query: URLSearchParams): unknown {
  const zone = displayName(readName(query.get('zone')));
  const served = dns.zones.served.get(zone);
  if (served === undefined) {
    throw badQuestion(`zone ${zone} is not served`, '`edgectl zone list` names those that are');
  }
  const { image } = served;
  if (query.has('digest')) return { zone, serial: image.serial, digest: digestOnce(image) };
  const records = new RecordList();
  for (const { owner, type, ttlSeconds, rdata } of recordsOf(image)) {
    records.add(owner, type, ttlSeconds, rdata);
  }
  return new ByteStream('text/dns', bytesOf(printZone({ origin: image.origin, records })));
}

async function* bytesOf(text: Iterable<string>): AsyncGenerator<Uint8Array> {
  for (const chunk of text) yield Buffer.from(chunk, 'latin1');
}
