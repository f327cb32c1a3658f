// A listener of L7, or of TCP as a stream: where clients connect, and by which rules. Id: its name.
// Pure.
import { formatEndpoint, parseEndpoint } from '../net/ports.ts';
import { formatPrefix, type Prefix } from '../net/prefix.ts';
import type { ObjectRecord } from '../store/types.ts';
import { canonicalValue, ifCanonical } from './canonical.ts';
import { pemProblems } from './certificate.ts';
import { parseHostPattern } from './host-pattern.ts';
import type { Listener } from './lb-objects.ts';
import { nameOf } from './line.ts';
import { parseAddress } from './peer.ts';
import { canonicalPem } from './pem.ts';
import type { ObjectProblem } from './problem.ts';
import { type Refusal, refusal } from './refusal.ts';
import { HOST } from './route.ts';
import { isName, ValueReader } from './value.ts';
import { parseStoredPrefix, unless, unlessEmpty } from './zone.ts';

export const LISTENER_PROTOCOLS = ['http', 'https', 'tcp', 'tls'] as const;
export const CLIENT_CERTIFICATES = ['none', 'optional', 'required'] as const;
export const TLS_VERSIONS = ['1.2', '1.3'] as const;
export const USUAL_TLS = '1.2';
export const AT = 'address:port such as 0.0.0.0:80 or [::]:443';
export const MAX_CONNECTIONS = 10_000_000;
type Protocol = Listener['protocol'];

const KEYS = [
  ...['allow', 'at', 'certificates', 'clientCa', 'clientCertificate', 'deny', 'http2'],
  ...['maxConnections', 'minTls', 'names', 'pool', 'protocol', 'proxyFrom', 'trusted'],
];

/** From a stored object. */
export function parseListener(id: string, value: string): Listener | Refusal {
  const reader = new ValueReader(`listener ${id}`, value, KEYS);
  if (!isName(id)) reader.refuse('the id is not a name');
  const oneOf = <T extends string>(key: string, words: readonly T[]) =>
    reader.parsed(key, words.join(' or '), (text) => words.find((each) => each === text));
  const protocol = oneOf('protocol', LISTENER_PROTOCOLS);
  if (protocol === undefined && reader.reasons.length === 0) reader.refuse('there is no protocol');
  const certificate = oneOf('clientCertificate', CLIENT_CERTIFICATES);
  const clientCa = reader.text('clientCa');
  const pool = reader.name('pool');
  if (protocol === undefined) return refusal(...reader.reasons);
  const listener: Listener = {
    name: id,
    at: reader.list('at', AT, parseAt),
    protocol,
    certificates: reader.list('certificates', 'names', nameOf),
    http2: reader.flag('http2') ?? usualHttp2(protocol),
    ...(clientCa === undefined ? {} : { clientCa: canonicalPem(clientCa) }),
    clientCertificate: certificate ?? usualClientCertificate(clientCa),
    minTls: oneOf('minTls', TLS_VERSIONS) ?? USUAL_TLS,
    proxyFrom: reader.list('proxyFrom', 'prefixes', parseStoredPrefix),
    trusted: reader.list('trusted', 'prefixes', parseStoredPrefix),
    ...(pool === undefined ? {} : { pool }),
    names: reader.each('names', ['name', 'pool'], readName),
    allow: reader.list('allow', 'prefixes', parseStoredPrefix),
    deny: reader.list('deny', 'prefixes', parseStoredPrefix),
    maxConnections: reader.integer('maxConnections', 0, MAX_CONNECTIONS) ?? 0,
  };
  return ifCanonical(reader, value, listener, {
    problemsOf: listenerProblems,
    format: formatListener,
  });
}

function readName(reader: ValueReader): Listener['names'][number] {
  const name = reader.parsed('name', HOST, parseHostPattern);
  const pool = reader.name('pool');
  for (const [key, given] of Object.entries({ name, pool })) {
    if (given === undefined && reader.reasons.length === 0) reader.refuse(`there is no ${key}`);
  }
  return { name: name ?? '', pool: pool ?? '' };
}

/** Both are offered to clients of https; in the clear only who knows speaks h2c. */
export function usualHttp2(protocol: Protocol): boolean {
  return protocol === 'https';
}

/** Whose certificates are named is asked for one. */
export function usualClientCertificate(clientCa: string | undefined) {
  return clientCa === undefined ? 'none' : 'required';
}

/** Of either family, in its one spelling. */
export function parseAt(text: string): string | undefined {
  const endpoint = parseEndpoint(text);
  const host = endpoint === undefined ? undefined : parseAddress(endpoint.host);
  if (endpoint === undefined || host === undefined) return undefined;
  return formatEndpoint({ host, port: endpoint.port });
}

/** What only listeners of these protocols have. */
const ONLY: Readonly<Record<string, readonly Protocol[]>> = {
  certificates: ['https'],
  http2: ['http', 'https'],
  clientCa: ['https'],
  clientCertificate: ['https'],
  minTls: ['https'],
  trusted: ['http', 'https'],
  pool: ['tcp', 'tls'],
  names: ['tls'],
};

/** What is wrong with a listener in itself. */
export function listenerProblems(listener: Listener): ObjectProblem[] {
  const { at, protocol, names, certificates, clientCa, pool } = listener;
  const problems: ObjectProblem[] = [];
  const say = (message: string, path: (string | number)[], remedy?: string) =>
    problems.push({ message, at: path, ...(remedy === undefined ? {} : { remedy }) });
  if (at.length === 0) say('listens nowhere', ['at'], `at has one or more of ${AT}`);
  const said = saidListener(listener);
  for (const [key, protocols] of Object.entries(ONLY)) {
    if (protocols.includes(protocol) || Reflect.get(said, key) === undefined) continue;
    say(`${key} is nothing of ${protocol}`, [key], `it is of ${protocols.join(' and ')}`);
  }
  if (protocol === 'https' && certificates.length === 0) {
    const remedy = 'name certificate objects under certificates';
    say('https without a certificate', ['protocol'], remedy);
  }
  if (protocol === 'tcp' && pool === undefined) say('tcp without a pool', ['protocol']);
  if (protocol === 'tls' && pool === undefined && names.length === 0) {
    say('tls without a pool and without names', ['protocol']);
  }
  if (listener.clientCertificate === 'none' && clientCa !== undefined) {
    say('clientCa has no use where no client is asked', ['clientCertificate']);
  }
  if (listener.clientCertificate !== 'none' && clientCa === undefined && protocol === 'https') {
    say(`clientCertificate ${listener.clientCertificate} without clientCa`, ['clientCertificate']);
  }
  problems.push(...pemProblems(clientCa, ['clientCa']));
  const lists = { at, certificates, names: names.map(({ name }) => name) };
  for (const [key, list] of Object.entries(lists)) {
    for (const [index, each] of list.entries()) {
      if (list.indexOf(each) < index) say(`${each} is there twice`, [key, index]);
    }
  }
  return problems;
}

/** As stored, and in a site file. */
export function saidListener(listener: Listener) {
  const { protocol, clientCa, clientCertificate, maxConnections } = listener;
  const prefixes = (list: readonly Prefix[]) => unlessEmpty(list.map(formatPrefix));
  return {
    at: unlessEmpty(listener.at),
    protocol,
    certificates: unlessEmpty(listener.certificates),
    http2: unless(usualHttp2(protocol), listener.http2),
    clientCa,
    clientCertificate: unless(usualClientCertificate(clientCa), clientCertificate),
    minTls: unless(USUAL_TLS, listener.minTls),
    proxyFrom: prefixes(listener.proxyFrom),
    trusted: prefixes(listener.trusted),
    pool: listener.pool,
    names: unlessEmpty(listener.names),
    allow: prefixes(listener.allow),
    deny: prefixes(listener.deny),
    maxConnections: unless(0, maxConnections),
  };
}

export function formatListener(listener: Listener): ObjectRecord {
  return { kind: 'listener', id: listener.name, value: canonicalValue(saidListener(listener)) };
}
