// What becomes of requests: who may, how often, what is answered here, how heads are changed.
import { beforeEach, describe, expect, test } from 'vitest';
import { isCompressible } from '../../../../lb/l7/policy/compress.ts';
import { RoutePolicy, sourceOf } from '../../../../lb/l7/policy/policy.ts';
import type { ClientInfo, Decision, RequestView, WorkerPlan } from '../../../../lb/l7/types.ts';
import { Buckets } from '../../../../lb/limits/gcra.ts';
import { type Prefix, parsePrefix } from '../../../../shared/net/prefix.ts';
import type { Route } from '../../../../shared/site/lb-objects.ts';
import { client, listener, route, view } from '../../../support/lb/objects.ts';

const prefixes = (...texts: string[]): Prefix[] => texts.flatMap((text) => parsePrefix(text) ?? []);
const NONE = { set: [], add: [], remove: [] } as const;
const WEB = listener();

let nowMs = 0;
let isFull = false;
let policy: RoutePolicy;

function serve(...routes: Route[]): void {
  const plan: WorkerPlan = { version: 1, listeners: [WEB], routes, pools: [], certificates: [] };
  policy.update(plan);
}

function decide(asked: RequestView, from: ClientInfo = client()): Decision {
  let decided: Decision | undefined;
  policy.decide(WEB, asked, from, (decision) => {
    decided = decision;
  });
  if (decided === undefined) throw new Error('not decided at once');
  return decided;
}

const get = (url: string, headers = {}) => view('GET', url, headers);
const status = (decision: Decision) =>
  decision.kind === 'answer' ? [decision.status, decision.cause] : decision.route.name;

beforeEach(() => {
  nowMs = 1000;
  isFull = false;
  const buckets = { own: new Buckets(), shared: new Buckets() };
  policy = new RoutePolicy({
    self: 'edge-lb-1',
    buckets,
    nowMs: () => nowMs,
    isFull: () => isFull,
  });
});

describe('decisions', () => {
  test('no route, an ambiguous path, a loop', () => {
    serve(route('www', { hosts: ['www.test'] }));
    expect(status(decide(get('http://www.test/')))).toBe('www');
    expect(status(decide(get('http://other.test/')))).toEqual([404, 'no-route']);
    expect(status(decide(get('http://www.test/a%2fb')))).toEqual([400, 'bad-request']);
    const looped = get('http://www.test/', { via: '1.1 somebody, 1.1 edge-lb-1 (x)' });
    expect(status(decide(looped))).toEqual([508, 'bad-request']);
    expect(status(decide(get('http://www.test/', { via: '1.1 edge-lb-10' })))).toBe('www');
    expect(status(decide(view('OPTIONS', '*', { host: 'www.test' })))).toEqual([404, 'no-route']);
  });

  test('a worker whose memory is used up begins nothing', () => {
    serve(route('www', {}));
    isFull = true;
    expect(status(decide(get('http://www.test/')))).toEqual([503, 'shed']);
  });

  test('who is allowed, and who is denied all the same', () => {
    const allow = prefixes('203.0.113.0/24', '2001:db8::/32');
    serve(route('www', { allow, deny: prefixes('203.0.113.66/32') }));
    const as = (address: string) => status(decide(get('http://x.test/'), client({ address })));
    expect(as('203.0.113.9')).toBe('www');
    expect(as('2001:db8::1')).toBe('www');
    expect(as('203.0.113.66')).toEqual([403, 'denied']);
    expect(as('198.51.100.1')).toEqual([403, 'denied']);
    expect(as('not an address')).toEqual([403, 'denied']);
  });

  test('a listener admits as its lists say', () => {
    const guarded = listener({ name: 'web', deny: prefixes('10.0.0.0/8') });
    policy.update({ version: 1, listeners: [guarded], routes: [], pools: [], certificates: [] });
    expect(policy.admits(guarded, '10.1.2.3')).toBe(false);
    expect(policy.admits(guarded, '11.1.2.3')).toBe(true);
  });

  test('redirects fill in what the request has', () => {
    const to = 'https://{host}{path}{query}';
    serve(route('to-https', { action: { kind: 'redirect', status: 308, to } }));
    const decision = decide(get('http://www.test:8080/a/b?c=d'));
    expect(decision).toMatchObject({ status: 308, cause: 'answered' });
    expect(decision.kind === 'answer' && decision.headers).toContainEqual([
      'Location',
      'https://www.test/a/b?c=d',
    ]);
  });

  test('a redirect to the path alone leads to no other host', () => {
    serve(route('home', { action: { kind: 'redirect', status: 302, to: '{path}' } }));
    const decision = decide(get('http://www.test//evil.test/x'));
    expect(decision.kind === 'answer' && decision.headers).toContainEqual([
      'Location',
      '/evil.test/x',
    ]);
  });

  test('a maintenance page', () => {
    const action = {
      kind: 'respond',
      status: 503,
      contentType: 'text/html',
      body: 'soon',
    } as const;
    serve(route('down', { action }));
    const decision = decide(get('http://www.test/'));
    expect(decision).toMatchObject({ status: 503, headers: [['Content-Type', 'text/html']] });
    expect(decision.kind === 'answer' && decision.body.toString()).toBe('soon');
  });
});

describe('rate limits', () => {
  const limited = (by: 'source' | 'all' | { header: string }) =>
    route('www', { rateLimit: { requests: 10, perMs: 1000, burst: 2, by, shared: false } });
  const one = (from: ClientInfo, headers = {}) =>
    status(decide(get('http://www.test/', headers), from));

  test('a burst, then one each 100 ms; others have their own', () => {
    serve(limited('source'));
    const [ann, bob] = [client({ address: '192.0.2.1' }), client({ address: '192.0.2.2' })];
    expect([one(ann), one(ann), one(ann)]).toEqual(['www', 'www', [429, 'rate-limited']]);
    expect(one(bob)).toBe('www');
    nowMs += 100;
    expect([one(ann), one(ann)]).toEqual(['www', [429, 'rate-limited']]);
  });

  test('a /64 is one client', () => {
    serve(limited('source'));
    const as = (address: string) => one(client({ address }));
    expect([as('2001:db8::1'), as('2001:db8::2'), as('2001:db8::3')]).toEqual([
      'www',
      'www',
      [429, 'rate-limited'],
    ]);
    expect(as('2001:db8:0:1::1')).toBe('www');
  });

  test('by a header, and all together', () => {
    serve(limited({ header: 'x-key' }));
    expect([1, 2, 3].map(() => one(client(), { 'x-key': 'a' })).at(-1)).toEqual([
      429,
      'rate-limited',
    ]);
    expect(one(client(), { 'x-key': 'b' })).toBe('www');
    serve(limited('all'));
    expect([1, 2, 3].map((n) => one(client({ address: `192.0.2.${n}` }))).at(-1)).toEqual([
      429,
      'rate-limited',
    ]);
  });

  test('how long to wait is told', () => {
    const rateLimit = { requests: 1, perMs: 60_000, burst: 1, by: 'all', shared: false } as const;
    serve(route('www', { rateLimit }));
    decide(get('http://www.test/'));
    const decision = decide(get('http://www.test/'));
    expect(decision.kind === 'answer' && decision.headers).toContainEqual(['Retry-After', '60']);
  });

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['fe80::', 'fe80:0:0:0'],
  ])('%s counts as %s', (address, source) => {
    expect(sourceOf(address)).toBe(source);
  });
});

describe('request heads', () => {
  const edits = (asked: RequestView, from = client(), part: Partial<Route> = {}) => {
    const own = route('www', part);
    serve(own);
    return policy.requestEdits(own, asked, from);
  };
  const added = (asked: RequestView, from?: ClientInfo, part?: Partial<Route>) =>
    Object.fromEntries(edits(asked, from, part).add);

  test('say who asked, whatever the client says of itself', () => {
    const forged = get('http://www.test/', {
      'x-forwarded-for': '1.2.3.4',
      forwarded: 'for=1.2.3.4',
      'x-forwarded-proto': 'https',
    });
    expect(added(forged)).toEqual({
      'X-Forwarded-For': '203.0.113.9',
      'X-Forwarded-Proto': 'http',
      'X-Forwarded-Port': '80',
      'X-Forwarded-Host': 'www.test',
      Forwarded: 'for=203.0.113.9;proto=http;host="www.test"',
    });
    expect([...edits(forged).drop].sort()).toEqual([
      'forwarded',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-port',
      'x-forwarded-proto',
    ]);
  });

  test('continue what a trusted peer says', () => {
    const behind = get('http://www.test/', {
      'x-forwarded-for': '1.2.3.4',
      'x-forwarded-proto': 'https',
      forwarded: 'for=1.2.3.4',
    });
    expect(added(behind, client({ isTrusted: true, address: '2001:db8::9' }))).toMatchObject({
      'X-Forwarded-For': '1.2.3.4, 2001:db8::9',
      'X-Forwarded-Proto': 'https',
      Forwarded: 'for=1.2.3.4, for="[2001:db8::9]";proto=http;host="www.test"',
    });
  });

  test('are the same object for the next request of a connection', () => {
    const own = route('www');
    serve(own);
    const from = client();
    const first = policy.requestEdits(own, get('http://www.test/a'), from);
    expect(policy.requestEdits(own, get('http://www.test/b'), from)).toBe(first);
    expect(policy.requestEdits(own, get('http://two.test/'), from)).not.toBe(first);
    expect(policy.requestEdits(own, get('http://www.test/'), client())).not.toBe(first);
  });

  test('are changed as the route says', () => {
    const request = { set: [['X-A', '1']], add: [['X-B', '2']], remove: ['Cookie'] } as const;
    const { add, drop } = edits(get('http://www.test/'), client(), { request });
    expect(add).toContainEqual(['X-A', '1']);
    expect(add).toContainEqual(['X-B', '2']);
    expect(drop.has('cookie') && drop.has('x-a') && !drop.has('x-b')).toBe(true);
  });

  test('of what is removed nothing of ours is added', () => {
    const request = { ...NONE, remove: ['X-Forwarded-Host', 'Forwarded'] };
    const names = Object.keys(added(get('http://www.test/'), client(), { request }));
    expect(names).toEqual(['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Port']);
  });

  test.each([
    [['/api'], '/v1', '/api/x?y=1', '/v1/x?y=1'],
    [['/api'], '/v1', '/api', '/v1'],
    [['/api/'], '/', '/api/x', '/x'],
    [['/api'], '/', '/api', '/'],
    [[], '/base', '/x', '/base/x'],
    [['/a', '/a/b'], '/z', '/a/b/c', '/z/c'],
  ])('paths %j as %s: %s goes on as %s', (paths, rewritePath, target, sent) => {
    expect(edits(get(`http://www.test${target}`), client(), { paths, rewritePath }).target).toBe(
      sent,
    );
  });
});

describe('responses are compressed', () => {
  const head = {
    status: 200,
    contentType: 'text/html; charset=utf-8',
    contentEncoding: undefined,
    cacheControl: undefined,
    contentLength: 1000,
  };
  const cases: [string, boolean, Partial<typeof head> | Record<string, unknown>, string?][] = [
    ['text', true, {}],
    ['JSON', true, { contentType: 'application/json' }],
    ['of unknown length', true, { contentLength: -1 }],
    ['a problem', true, { contentType: 'application/problem+json' }],
    ['an image', false, { contentType: 'image/png' }],
    ['small', false, { contentLength: 100 }],
    ['encoded', false, { contentEncoding: 'br' }],
    ['no-transform', false, { cacheControl: 'public, no-transform' }],
    ['partial', false, { status: 206 }],
    ['for who takes none', false, {}, 'gzip;q=0, deflate'],
    ['for who takes any', true, {}, '*;q=0.1'],
    ['for who takes any but gzip', false, {}, '*, gzip;q=0'],
  ];
  test.each(cases)('%s: %s', (_, expected, part, accept = 'gzip, br') => {
    expect(isCompressible({ ...head, ...part } as typeof head, accept)).toBe(expected);
  });
});
