// Path prefixes as routes compare them (docs/balancing.md, H2): without a final slash, dot segments
// and escapes that need not be. Pure.
const PLAIN = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-F]{2})*$/;
const NEEDLESS = /%(?:2D|2E|3\d|4[1-9A-F]|5[0-9A]|5F|6[1-9A-F]|7[0-9A]|7E|00|2F|5C)/;
const MAX_CHARACTERS = 1024;

/** `/api/` is `/api`; `/` alone is any path. */
export function parseRoutePath(text: string): string | undefined {
  const path = text === '/' ? text : text.replace(/\/$/, '');
  const isPlain = isPath(path) && !path.endsWith('*');
  return isPlain && !NEEDLESS.test(path) && !hasDots(path) ? path : undefined;
}

/** What stands in its place; it goes to the target as it is. */
export function parseRewritePath(text: string): string | undefined {
  return isPath(text) && !hasDots(text) ? text : undefined;
}

export function routePathProblem(text: string): string | undefined {
  const shown = JSON.stringify(text);
  if (/[?#]/.test(text)) return `${shown} has a ? or #: routes see the path alone`;
  if (text.endsWith('*')) return `${shown} ends in a *: a path is a prefix by itself`;
  if (hasDots(text)) return `${shown} has . or .. as a segment: requests are compared without`;
  if (/%/.test(text) && text.startsWith('/')) {
    return `${shown} has an escape that requests are compared without: write the character`;
  }
  return undefined;
}

function isPath(text: string): boolean {
  return text.length <= MAX_CHARACTERS && PLAIN.test(text) && !text.startsWith('//');
}

function hasDots(path: string): boolean {
  return /\/\.\.?(?=\/|$)/.test(path);
}
