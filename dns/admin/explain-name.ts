// POST /explain: what one client is answered now, by the real decision, and why: whose address
// decides, its line, the fallback taken, pools and their health, weights, what the TTL rests on.
import { rcodeName, rcodeOf, TYPES } from '../../shared/dns/constants.ts';
import { decodeMessage } from '../../shared/dns/message.ts';
import { displayName, lowerName, parentOf } from '../../shared/dns/names.ts';
import { typeName, typeOf } from '../../shared/dns/rdata.ts';
import type { MessageRecord, Name } from '../../shared/dns/types.ts';
import type { SmartRecord } from '../../shared/site/dns-objects.ts';
import { addressText, prefixText } from '../answer/address-text.ts';
import { type AliasTable, outsideTable } from '../answer/alias-table.ts';
import { type ExplainedAnswer, explainAnswer } from '../answer/explain.ts';
import { prefixBits, prefixHash } from '../answer/prefix-hash.ts';
import { lineOf, lookup, scopeOf } from '../lines/lookup.ts';
import { entryOf, evaluate } from '../policy/evaluate.ts';
import type { DnsService } from '../service.ts';
import { readAsked } from './question.ts';

export function explainName(dns: DnsService, body: unknown): unknown {
  const asked = readAsked(body);
  const { state } = dns.serving;
  const nowSeconds = Math.floor(dns.options.clock.nowMs() / 1000);
  const elsewhere: string[] = [];
  const known = outsideTable(state.aliases);
  const find: AliasTable['find'] = (target, type, seconds) => {
    elsewhere.push(dns.aliases.say(target.slice(), type));
    return known.find(target, type, seconds);
  };
  const explained = explainAnswer(state, { ...asked, nowSeconds }, { aliases: { find } });
  const steps = [
    lineStep(dns, explained),
    zoneStep(dns, explained),
    ...smartSteps(dns, explained, asked.name, asked.type),
    ...elsewhere,
  ];
  if (explained.ecsScope !== undefined) {
    steps.push(`ECS scope /${explained.ecsScope}: caches may give this to no larger prefix`);
  }
  const { answers, authorities } = decoded(explained);
  const { line } = explained.result;
  return {
    verdict: explained.outcome,
    rcode: explained.message.length < 4 ? null : rcodeOfMessage(explained.message),
    line: line < 0 ? null : (state.lines.lines[line] ?? null),
    scope: explained.ecsScope ?? null,
    steps,
    answers: answers.map(recordText),
    authorities: authorities.map(recordText),
  };
}

function rcodeOfMessage(message: Uint8Array): string {
  return rcodeName(rcodeOf(((message[2] ?? 0) << 8) | (message[3] ?? 0)));
}

function decoded({ message }: ExplainedAnswer): {
  answers: MessageRecord[];
  authorities: MessageRecord[];
} {
  return message.length === 0 ? { answers: [], authorities: [] } : decodeMessage(message);
}

export function recordText({ owner, type, ttlSeconds, rdata }: MessageRecord): string {
  return `${displayName(owner)} ${ttlSeconds} ${typeName(type)} ${typeOf(type).format(rdata)}`;
}

function lineStep(dns: DnsService, explained: ExplainedAnswer): string {
  const { lines } = dns.serving.state;
  const { lineAddress, decidedBy } = explained;
  const found = lookup(lines, lineAddress.length === 4 ? 4 : 6, lineAddress);
  const line = lines.lines[lineOf(found)] ?? '?';
  const whose = decidedBy === 'ecs' ? "ECS' address" : 'the address of who asks';
  const prefix = prefixText(lineAddress, scopeOf(found));
  return `${whose}, ${addressText(lineAddress)}, is in ${prefix} of line ${line}`;
}

function zoneStep(dns: DnsService, { result, outcome }: ExplainedAnswer): string {
  const image = dns.serving.state.zones[result.zone];
  if (image === undefined) return `no zone that is served has this name: ${outcome}`;
  const zone = displayName(image.origin);
  const { source } = dns.zones.served.get(zone) ?? {};
  if (source === undefined) return `zone ${zone} is ours, but cannot be served: ${outcome}`;
  return `zone ${zone}, serial ${image.serial}, from ${source}: ${outcome}`;
}

/** Of the last name of the chain that has a record by line. */
function smartSteps(
  dns: DnsService,
  explained: ExplainedAnswer,
  qname: Name,
  type: number,
): string[] {
  const { line } = explained.result;
  if (line < 0) return [];
  const links = decoded(explained).answers.filter((record) => record.type === TYPES.CNAME);
  const chain = [qname, ...links.map(({ rdata }) => rdata)];
  const records = dns.plan?.smart ?? [];
  const found = chain.flatMap((name) => recordOf(records, name, type) ?? []).at(-1);
  if (found === undefined) return [];
  return recordSteps(dns, explained, found, line);
}

/** Its own, or that of a wildcard above it. */
function recordOf(
  records: readonly SmartRecord[],
  owner: Name,
  type: number,
): SmartRecord | undefined {
  const types = new Set([typeName(type), 'CNAME', 'ALIAS']);
  const named = (text: string) =>
    records.find((record) => record.name === text && types.has(record.type));
  const lower = lowerName(owner);
  const own = named(displayName(lower));
  if (own !== undefined) return own;
  for (let at = parentOf(lower); at !== undefined; at = parentOf(at)) {
    const wild = named(`*.${displayName(at)}`);
    if (wild !== undefined) return wild;
  }
  return undefined;
}

function recordSteps(
  dns: DnsService,
  { lineAddress }: ExplainedAnswer,
  record: SmartRecord,
  line: number,
): string[] {
  const input = { ...dns.round(), record, zoneTtlSeconds: dns.zoneTtlSeconds()(record) };
  const answer = evaluate(input);
  const choice = answer.choices[answer.choiceOfLine[line] ?? 0];
  const name = input.lines[line] ?? '?';
  const entry = entryOf(input, name);
  const steps = [
    entry === name
      ? `${record.name} ${record.type} has an answer for line ${name}`
      : `${record.name} ${record.type} has none for line ${name}: falls back to ${entry}`,
    ...(choice?.steps ?? []),
  ];
  if (choice?.slots !== undefined) {
    const slot = prefixHash(lineAddress);
    const prefix = prefixText(lineAddress, prefixBits(lineAddress));
    const share = choice.slots.filter((each) => each === choice.slots?.[slot]).length;
    steps.push(`${prefix} has slot ${slot} of 256; its answer has ${share} of them`);
  }
  return steps;
}
