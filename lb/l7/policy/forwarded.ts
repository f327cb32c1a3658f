// What a balancer says of a request's way (docs/balancing.md, H3): X-Forwarded-*, Forwarded (RFC
// 7239); and whether it came this way before. Pure.
import type { ClientInfo, RequestView } from '../types.ts';

const GIVEN = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'forwarded',
] as const;

/** RFC 7239, 6: IPv6 in brackets and quotes. */
const forOf = (address: string): string => (address.includes(':') ? `"[${address}]"` : address);

/** The fields that replace all of their names. */
export function forwardedFields(view: RequestView, client: ClientInfo): [string, string][] {
  const { address, scheme, localPort, isTrusted } = client;
  const given = (name: (typeof GIVEN)[number]) => (isTrusted ? view.header(name) : undefined);
  const host = view.header('host') ?? view.host;
  const chain = given('x-forwarded-for');
  const forwarded = given('forwarded');
  const own = `for=${forOf(address)};proto=${scheme}${host === '' ? '' : `;host="${host}"`}`;
  const fields: [string, string][] = [
    ['X-Forwarded-For', chain === undefined ? address : `${chain}, ${address}`],
    ['X-Forwarded-Proto', given('x-forwarded-proto') ?? scheme],
    ['X-Forwarded-Port', given('x-forwarded-port') ?? String(localPort)],
    ['Forwarded', forwarded === undefined ? own : `${forwarded}, ${own}`],
  ];
  const forwardedHost = given('x-forwarded-host') ?? host;
  if (forwardedHost !== '') fields.push(['X-Forwarded-Host', forwardedHost]);
  return fields;
}

export const FORWARDED_NAMES: readonly string[] = GIVEN;

/** Whether this request was here before: our name among those that received it. */
export function isLoop(via: string | undefined, self: string): boolean {
  if (via === undefined) return false;
  return via.split(',').some((hop) => hop.trim().split(/\s+/)[1] === self);
}
