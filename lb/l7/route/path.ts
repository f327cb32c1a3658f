// The path as routes compare it (docs/balancing.md, H2; RFC 3986, 6.2.2): without query, dot
// segments resolved, unreserved characters decoded. What is sent on stays as it came. Pure.

const [PERCENT, DOT, SLASH, BACKSLASH] = [0x25, 0x2e, 0x2f, 0x5c];
const DOTS = /\/\.\.?(?=\/|$)/;

/** Undefined: it means two things to two readers, and is refused. */
export function comparablePath(target: string): string | undefined {
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  if (isSimple(path)) return path;
  const decoded = decodeUnreserved(path);
  if (decoded === undefined) return undefined;
  return DOTS.test(decoded) ? withoutDots(decoded) : decoded;
}

/** Nothing to decode, no segment that begins with a dot: a loop is cheaper than an expression. */
function isSimple(path: string): boolean {
  let before = 0;
  for (let at = 0; at < path.length; at++) {
    const code = path.charCodeAt(at);
    if (code === PERCENT || code === BACKSLASH || (code === DOT && before === SLASH)) return false;
    before = code;
  }
  return true;
}

function decodeUnreserved(path: string): string | undefined {
  if (path.includes('\\')) return undefined;
  let isBad = false;
  const decoded = path.replace(/%(.{0,2})/g, (all, hex: string) => {
    const code = /^[0-9a-f]{2}$/i.test(hex) ? Number.parseInt(hex, 16) : -1;
    if (code < 0 || code === 0 || code === 0x2f || code === 0x5c) isBad = true;
    const character = String.fromCharCode(code);
    return /[A-Za-z0-9._~-]/.test(character) ? character : all.toUpperCase();
  });
  return isBad ? undefined : decoded;
}

function withoutDots(path: string): string | undefined {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [at, segment] of segments.entries()) {
    const isLast = at === segments.length - 1;
    if (segment === '..') {
      if (kept.length === 0) return undefined;
      kept.pop();
      if (isLast) kept.push('');
    } else if (segment !== '.') kept.push(segment);
    else if (isLast) kept.push('');
  }
  return `/${kept.join('/')}`;
}
