// The sections of a site file for load balancers: vservers, listeners, routes and certificates as
// operators write them.
import { z } from 'zod';
import { name, prefix, size, written } from '../config/types.ts';
import { HEADER_NAME, NO_EDITS, parseHeaderName, sortedPairs } from './header-edits.ts';
import { hostPatternProblem, parseHostPattern } from './host-pattern.ts';
import type { Certificate, HeaderEdits, Listener, Route, VirtualServer } from './lb-objects.ts';
import { timeoutsOf } from './lb-times.ts';
import {
  AT,
  CLIENT_CERTIFICATES,
  LISTENER_PROTOCOLS,
  MAX_CONNECTIONS,
  parseAt,
  TLS_VERSIONS,
  USUAL_TLS,
  usualClientCertificate,
  usualHttp2,
} from './listener.ts';
import { canonicalPem } from './pem.ts';
import { parseCheckHost } from './pool-check.ts';
import {
  formatRequestRate,
  MAX_REQUESTS,
  parseRequestRate,
  RATE,
  type RequestRate,
} from './rate-limit.ts';
import {
  HOST,
  MAX_BODY_LIMIT_BYTES,
  METHOD,
  PATH,
  parseMethod,
  sortedConditions,
} from './route.ts';
import {
  actionOf,
  missingAction,
  REDIRECT_STATUSES,
  USUAL_CONTENT_TYPE,
  USUAL_REDIRECT,
} from './route-action.ts';
import { parseRewritePath, parseRoutePath, routePathProblem } from './route-path.ts';
import { fieldName, type PemOf, timeouts } from './schema-proxy.ts';
import { formatVserverAt, HASHES, LOST, MODES, parseVserverAt, VSERVER_USUAL } from './vserver.ts';

const same = (text: string) => text;
/** A list, or its only one. */
const oneOrMore = <Item extends z.ZodType>(item: Item) =>
  z.preprocess(
    (given) => (Array.isArray(given) || given === undefined ? given : [given]),
    z.array(item),
  );

const host = written(HOST, parseHostPattern, same, hostPatternProblem);
const at = written(AT, parseAt, same);
const routePath = written(PATH, parseRoutePath, same, routePathProblem);
const rewritePath = written(PATH, parseRewritePath, same, routePathProblem);
const method = written(METHOD, parseMethod, same);
const headerName = written(HEADER_NAME, parseHeaderName, same);
const targetHost = written('the name of a host, or an address', parseCheckHost, same);
const rate = written<RequestRate>(RATE, parseRequestRate, formatRequestRate);
const prefixes = z.array(prefix).default([]);

const vserverAt = written(
  'address:port/protocol, such as 198.51.100.10:80/tcp or 198.51.100.10:8000-8099/udp',
  parseVserverAt,
  formatVserverAt,
);
export const vserver = z
  .strictObject({
    at: vserverAt,
    pool: name,
    mode: z.enum(MODES).default(VSERVER_USUAL.mode),
    hash: z.enum(HASHES).default(VSERVER_USUAL.hash),
    lost: z.enum(LOST).default(VSERVER_USUAL.lost),
  })
  .transform(({ at: where, ...rest }): VirtualServer => ({ ...where, ...rest }));

/** YAML takes a version for a number. */
const tlsVersion = z.preprocess(
  (given) => (typeof given === 'number' ? `${given}` : given),
  z.enum(TLS_VERSIONS),
);
const file = z.string().min(1).optional();

export const listener = z.strictObject({
  name,
  at: oneOrMore(at),
  protocol: z.enum(LISTENER_PROTOCOLS),
  certificates: oneOrMore(name).optional(),
  http2: z.boolean().optional(),
  clientCa: z.string().optional(),
  clientCaFile: file,
  clientCertificate: z.enum(CLIENT_CERTIFICATES).optional(),
  minTls: tlsVersion.default(USUAL_TLS),
  proxyFrom: prefixes,
  trusted: prefixes,
  pool: name.optional(),
  names: z.array(z.strictObject({ name: host, pool: name })).default([]),
  allow: prefixes,
  deny: prefixes,
  maxConnections: z.int().min(0).max(MAX_CONNECTIONS).default(0),
});

export const certificate = z.strictObject({ name, chain: z.string().optional(), file });

const edits = z.strictObject({
  set: z.record(headerName, z.string()).optional(),
  add: z.record(headerName, oneOrMore(z.string())).optional(),
  remove: oneOrMore(headerName).optional(),
});

const rateLimit = z.strictObject({
  rate,
  burst: z.int().min(1).max(MAX_REQUESTS).optional(),
  by: z.union([z.enum(['source', 'all']), z.strictObject({ header: fieldName })]).default('source'),
  shared: z.boolean().default(false),
});

const redirectStatus = z.literal(REDIRECT_STATUSES);
const writtenRoute = z.strictObject({
  name,
  listeners: oneOrMore(name).optional(),
  hosts: oneOrMore(host).optional(),
  paths: oneOrMore(routePath).optional(),
  methods: oneOrMore(method).optional(),
  headers: z.array(z.strictObject({ name: fieldName, value: z.string().optional() })).default([]),
  pool: name.optional(),
  redirect: z
    .strictObject({ status: redirectStatus.default(USUAL_REDIRECT), to: z.string() })
    .optional(),
  respond: z
    .strictObject({
      status: z.int().min(200).max(599),
      contentType: z.string().default(USUAL_CONTENT_TYPE),
      body: z.string().default(''),
    })
    .optional(),
  rewritePath: rewritePath.optional(),
  rewriteHost: targetHost.optional(),
  request: edits.optional(),
  response: edits.optional(),
  allow: prefixes,
  deny: prefixes,
  rateLimit: rateLimit.optional(),
  compress: z.boolean().default(false),
  upgrade: z.boolean().default(false),
  maxBody: size
    .refine((bytes) => bytes <= MAX_BODY_LIMIT_BYTES, 'must be at most 1 PiB')
    .optional(),
  timeouts: timeouts.optional(),
});

export const route = writtenRoute.transform((given, context): Route => {
  const action = actionOf(given);
  if (action === undefined) {
    const { message } = missingAction();
    context.issues.push({ code: 'custom', message, input: given, path: [] });
    return z.NEVER;
  }
  const { rewritePath: path, rewriteHost, rateLimit: limit, maxBody } = given;
  return {
    name: given.name,
    listeners: given.listeners ?? [],
    hosts: given.hosts ?? [],
    paths: given.paths ?? [],
    methods: given.methods ?? [],
    headers: sortedConditions(
      given.headers.map(({ name: of, value }) => ({
        name: of,
        ...(value === undefined ? {} : { value }),
      })),
    ),
    action,
    ...(path === undefined ? {} : { rewritePath: path }),
    ...(rewriteHost === undefined ? {} : { rewriteHost }),
    request: editsOf(given.request),
    response: editsOf(given.response),
    allow: given.allow,
    deny: given.deny,
    ...(limit === undefined ? {} : { rateLimit: limitOf(limit) }),
    compress: given.compress,
    upgrade: given.upgrade,
    maxBodyBytes: maxBody ?? 0,
    timeouts: timeoutsOf(given.timeouts),
  };
});

function limitOf({
  rate: { requests, perMs },
  burst = requests,
  by,
  shared,
}: z.output<typeof rateLimit>) {
  return { requests, perMs, burst, by, shared };
}

function editsOf(given: z.output<typeof edits> | undefined): HeaderEdits {
  if (given === undefined) return NO_EDITS;
  const added = Object.entries(given.add ?? {}).flatMap(([of, values]) =>
    values.map((value) => [of, value] as const),
  );
  return {
    set: sortedPairs(Object.entries(given.set ?? {})),
    add: sortedPairs(added),
    remove: given.remove ?? [],
  };
}

export function listenerOf(item: z.output<typeof listener>, pemOf: PemOf): Listener {
  const { clientCa: text, clientCaFile, certificates, http2, clientCertificate, pool } = item;
  const pem = pemOf({ text, file: clientCaFile }, { text: ['clientCa'], file: ['clientCaFile'] });
  const clientCa = pem === undefined ? undefined : canonicalPem(pem);
  return {
    name: item.name,
    at: item.at,
    protocol: item.protocol,
    certificates: certificates ?? [],
    http2: http2 ?? usualHttp2(item.protocol),
    ...(clientCa === undefined ? {} : { clientCa }),
    clientCertificate: clientCertificate ?? usualClientCertificate(clientCa),
    minTls: item.minTls,
    proxyFrom: item.proxyFrom,
    trusted: item.trusted,
    ...(pool === undefined ? {} : { pool }),
    names: item.names,
    allow: item.allow,
    deny: item.deny,
    maxConnections: item.maxConnections,
  };
}

export function certificateOf(item: z.output<typeof certificate>, pemOf: PemOf): Certificate {
  const texts = { text: item.chain, file: item.file };
  const chain = pemOf(texts, { text: ['chain'], file: ['file'] });
  return { name: item.name, chain: canonicalPem(chain ?? '') };
}
