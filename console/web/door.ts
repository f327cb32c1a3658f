// Who may see the page: with a token, whoever brings it, as a password or a bearer token; without,
// whoever reaches us by an address. A name would be some web site's that points here (DNS
// rebinding), and its scripts would read the page through a visitor's browser.
import type { TokenGuard } from '../../shared/admin/token.ts';
import { parseIpv4 } from '../../shared/net/ipv4.ts';
import { parseIpv6 } from '../../shared/net/ipv6.ts';

export type Visitor = { authorization?: string | undefined; host?: string | undefined };
export type Verdict = 'welcome' | 'no-token' | 'by-name';

export function verdictOn(visitor: Visitor, guard: TokenGuard | undefined): Verdict {
  if (guard !== undefined) {
    return guard.admits(bearerOf(visitor.authorization)) ? 'welcome' : 'no-token';
  }
  return isAddress(visitor.host ?? '') ? 'welcome' : 'by-name';
}

/** The password of Basic (RFC 7617) is the token; the user's name is nobody's. */
function bearerOf(authorization: string | undefined): string | undefined {
  const basic = /^basic ([A-Za-z0-9+/=]+) *$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return authorization;
  const given = Buffer.from(basic, 'base64').toString('utf8');
  return `Bearer ${given.slice(given.indexOf(':') + 1)}`;
}

function isAddress(host: string): boolean {
  const bare = host.replace(/:\d+$/, '');
  const isBracketed = bare.startsWith('[') && bare.endsWith(']');
  if (isBracketed) return parseIpv6(bare.slice(1, -1)) !== undefined;
  return bare === 'localhost' || parseIpv4(bare) !== undefined;
}
