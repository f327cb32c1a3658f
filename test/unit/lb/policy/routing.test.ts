// Which route serves what: hosts, paths, conditions, their order; and paths that mean two things.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparablePath } from '../../../../lb/l7/route/path.ts';
import { RouteTable } from '../../../../lb/l7/route/table.ts';
import { route, view } from '../../../support/lb/objects.ts';

describe('paths are compared', () => {
  const cases: [string, string | undefined][] = [
    ['/', '/'],
    ['/a/b?c=/../d', '/a/b'],
    ['/a//b', '/a//b'],
    ['/a/./b', '/a/b'],
    ['/a/../b', '/b'],
    ['/a/b/..', '/a/'],
    ['/a/.', '/a/'],
    ['/a/...', '/a/...'],
    ['/a/.b/..c', '/a/.b/..c'],
    ['/%61dmin', '/admin'],
    ['/%7Euser', '/~user'],
    ['/a%2Fb', undefined],
    ['/a%2fb', undefined],
    ['/a%5Cb', undefined],
    ['/a\\b', undefined],
    ['/a%00', undefined],
    ['/a%0', undefined],
    ['/a%zz', undefined],
    ['/a%', undefined],
    ['/..', undefined],
    ['/a/../../b', undefined],
    ['/%2e%2e/etc', undefined],
    ['/a/%2E%2e/b', '/b'],
    ['/a/%2e/b', '/a/b'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/%25', '/%25'],
  ];
  test.each(cases)('%s as %s', (target, path) => {
    expect(comparablePath(target)).toBe(path);
  });

  test('the same whenever they are compared again', () => {
    const pieces = fc.constantFrom('/', 'a', '.', '..', '%2e', '%41', '%2F', '?', '\\', '%', 'b');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const once = comparablePath(`/${parts.join('')}`);
        if (once !== undefined) expect(comparablePath(once)).toBe(once);
      }),
    );
  });
});

describe('the most specific route serves', () => {
  const routes = [
    route('any'),
    route('wild', { hosts: ['*.example.com'] }),
    route('deep', { hosts: ['*.eu.example.com'] }),
    route('www', { hosts: ['www.example.com'] }),
    route('api', { hosts: ['www.example.com'], paths: ['/api'] }),
    route('api-v2', { hosts: ['www.example.com'], paths: ['/api/v2/'] }),
    route('api-post', { hosts: ['www.example.com'], paths: ['/api'], methods: ['POST'] }),
    route('api-beta', {
      hosts: ['www.example.com'],
      paths: ['/api'],
      headers: [{ name: 'x-beta', value: 'yes*' }],
    }),
    route('only-path', { hosts: ['two.example.com'], paths: ['/only'] }),
    route('other', { listeners: ['other'], hosts: ['www.example.com'] }),
  ];
  const table = new RouteTable(routes, ['web', 'other']);
  const cases: [string, string, string, Record<string, string>?][] = [
    ['GET', 'http://nobody.test/', 'any'],
    ['GET', 'http://a.example.com/', 'wild'],
    ['GET', 'http://a.b.example.com/', 'wild'],
    ['GET', 'http://example.com/', 'any'],
    ['GET', 'http://a.eu.example.com/', 'deep'],
    ['GET', 'http://www.example.com/', 'www'],
    ['GET', 'http://www.example.com/apix', 'www'],
    ['GET', 'http://www.example.com/api', 'api'],
    ['GET', 'http://www.example.com/api/', 'api'],
    ['GET', 'http://www.example.com/api/x?y', 'api'],
    ['GET', 'http://www.example.com/api/v2', 'api-v2'],
    ['GET', 'http://www.example.com/api/v2/x', 'api-v2'],
    ['GET', 'http://www.example.com/api/v22', 'api'],
    ['POST', 'http://www.example.com/api/x', 'api-post'],
    ['GET', 'http://www.example.com/api/x', 'api-beta', { 'x-beta': 'yes please' }],
    ['GET', 'http://www.example.com/api/x', 'api', { 'x-beta': 'no' }],
    ['GET', 'http://two.example.com/only/x', 'only-path'],
    ['GET', 'http://two.example.com/else', 'wild'],
  ];
  test.each(cases)('%s %s: %s', (method, url, name, headers = {}) => {
    const asked = view(method, url, headers);
    const path = comparablePath(asked.target) ?? '';
    expect(table.find('web', asked, path)?.name).toBe(name);
  });

  test('a listener has those that name it, and those that name none', () => {
    const asked = view('GET', 'http://www.example.com/');
    expect(table.find('other', asked, '/')?.name).toBe('other');
    expect(table.find('unheard-of', asked, '/')).toBeUndefined();
  });

  test('as a slow search would find it, whatever the routes', () => {
    const hosts = ['a.test', '*.test', '*.b.test', 'x.b.test'];
    const paths = ['/', '/a', '/a/b', '/a/b/c', '/b'];
    const anyRoute = fc.record({
      hosts: fc.subarray(hosts),
      paths: fc.subarray(paths),
      methods: fc.subarray(['GET', 'POST']),
    });
    const asked = fc.record({
      host: fc.constantFrom('a.test', 'x.b.test', 'y.b.test', 'test', 'z'),
      path: fc.constantFrom('/', '/a', '/a/', '/ab', '/a/b/c/d', '/b/x', '/c'),
      method: fc.constantFrom('GET', 'POST', 'PUT'),
    });
    fc.assert(
      fc.property(fc.array(anyRoute, { maxLength: 6 }), asked, (parts, { host, path, method }) => {
        const all = parts.map((part, at) => route(`r${at}`, part));
        const found = new RouteTable(all, ['web']).find(
          'web',
          view(method, `http://${host}${path}`),
          path,
        );
        expect(found?.name).toBe(slowFind(all, host, path, method));
      }),
    );
  });
});

function slowFind(routes: ReturnType<typeof route>[], host: string, path: string, method: string) {
  const ranked = routes.flatMap(({ name, hosts, paths, methods }) => {
    if (methods.length > 0 && !methods.includes(method)) return [];
    const byHost =
      hosts.length === 0
        ? [0]
        : hosts.map((each) => {
            if (!each.startsWith('*.')) return each === host ? 1000 : -1;
            return host.endsWith(each.slice(1)) ? each.length : -1;
          });
    const byPath = (paths.length === 0 ? ['/'] : paths).map((each) => {
      const prefix = each.replace(/\/$/, '');
      return path === prefix || path.startsWith(`${prefix}/`) ? prefix.length : -1;
    });
    const [hostRank, pathRank] = [Math.max(...byHost), Math.max(...byPath)];
    if (hostRank < 0 || pathRank < 0) return [];
    return [{ name, rank: [hostRank, pathRank, methods.length > 0 ? 1 : 0] as const }];
  });
  ranked.sort((a, b) => {
    for (const at of [0, 1, 2] as const) {
      const difference = b.rank[at] - a.rank[at];
      if (difference !== 0) return difference;
    }
    return a.name < b.name ? -1 : 1;
  });
  return ranked[0]?.name;
}
