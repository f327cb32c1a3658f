// Conformance over the wire: what a case is, and what its rows are written with. The rows stand in
// packets-cases-names.ts, -hearing.ts and -edns.ts; docs/conformance-dns.md shows them.
import type { OutcomeName } from '../../../dns/answer/outcomes.ts';
import { hex16, type Opt, optHex, queryHex, questionHex } from '../../unit/dns/answer/packets.ts';
import type { PeerName } from './peers.ts';

/** Answers as told() of packets-told.ts says them. */
export type ConformanceCase = {
  /** With the number that it has in the list of conformance cases. */
  what: string;
  /** Hex. */
  query: string;
  overTcp?: true;
  ours: string;
  outcome: OutcomeName;
  /** What others answer, where it is not what ours does. */
  others?: Partial<Record<PeerName, string>>;
  /** Why ours may differ. */
  why?: string;
};

/** gdnsd cannot load the records that a case is about. */
export const NOT_LOADED = 'cannot load it';

export const SOA = 'authority: @ 60 SOA ns1 hostmaster 1 3600 600 86400 60';
export const WWW = 'www 300 A 192.0.2.1';
export const SUB =
  'authority: sub 300 NS ns.example.org., sub 300 NS ns.sub; additional: ns.sub 300 A 192.0.2.99';
export const NS_ADDRESSES = 'ns1 300 A 192.0.2.53, ns1 300 AAAA 2001:db8::53';

/** `name`: of example.com, unless it ends with a dot; @ is example.com itself. */
export function asking(name: string, type = 1, qclass = 1): string {
  if (name.endsWith('.')) return questionHex(name, type, qclass);
  return questionHex(name === '@' ? 'example.com' : `${name}.example.com`, type, qclass);
}

export function ask(name: string, type = 1, ...records: string[]): string {
  return queryHex({ question: asking(name, type) }, ...records);
}

export function withEdns(opt: Opt, name = 'www', type = 1): string {
  return ask(name, type, optHex(opt));
}

/** `options`: hex. */
export function withOption(options: string, name = 'www', type = 1): string {
  return withEdns({ options }, name, type);
}

/** `owner`, `data`: hex; TTL 0. */
export function record(owner: string, type: number, data = ''): string {
  return `${owner}${hex16(type)}0001 00000000 ${hex16(data.length / 2)}${data}`;
}

/** Reasons that several cases have. */
export const WHY = {
  chain: 'RFC 1034 §4.3.2, 3a: the CNAME’s target is looked up, too',
  zones: 'RFC 1034 §4.3.2, 3a goes back to step 1: in all zones of the server',
  noDname: 'gdnsd has no DNAME and refuses such a zone: its zone is without these names',
  any: 'RFC 8482 §4.1 and §4.2: one RRset or HINFO, as the server likes',
  meta: 'RFC 6895 §3.1: a meta type is no data that a zone could have',
  question: 'RFC 1035 §7.3: by the question clients know which query is answered',
  silence: 'RFC 1035 §4.1.1: FORMERR; after silence clients ask again',
  chaos: 'the texts are each server’s own; ours is the authority for them',
  oneText: 'gdnsd has one text for all of class CH; these names are not there',
  opcode: 'RFC 8906 §3.1.4: what stands in the sections of an unknown opcode is not known',
  transfer: 'RFC 1035 §4.1.1: REFUSED, by policy; nobody may transfer',
  sections: 'RFC 1034 §3.7: a query has a question and nothing else',
  cookies: 'RFC 9018 §4: 16 bytes of server cookie; RFC 7873 §5.2.3: answering is allowed',
  opt: 'RFC 6891 §6.1.1: an OPT that came is answered with one',
  owner: 'RFC 6891 §6.1.2: the owner of OPT MUST be the root',
  ecs: 'RFC 7871 §6 and §7.1.1: FORMERR; who does not know ECS ignores it',
  noEcs: 'NSD does not know ECS',
  additional: 'RFC 1034 §4.3.2, 6: addresses that are at hand save a query; nobody must',
} as const;
