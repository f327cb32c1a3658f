// A real edge-lb with two workers under load from wrk and h2load: shares by weight, sticky cookies,
// and reloads that disturb nobody but whom they say beforehand.
import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import type { LbRig } from '../support/lb/lb-rig.ts';
import { ask, closed, echoed, h2load, webSocket, wrk } from '../support/lb/lb-rig-clients.ts';
import { LiveSite } from '../support/lb/lb-rig-live.ts';
import { needs, program } from '../support/skip.ts';

let live: LiveSite;
let lb: LbRig;
let [plain, secure] = ['', ''];

beforeAll(async () => {
  live = await LiveSite.up();
  ({ lb, plain, secure } = live);
});
beforeEach((context) => needs(context, program('redis-server'), program('openssl')));
afterAll(() => live?.down());

describe('a pool', () => {
  test('is shared by weight, over two workers', async () => {
    const counts = async () => {
      const { targets: rows } = await lb.status();
      return rows.filter(({ pool }) => pool === 'web').map(({ requests }) => requests);
    };
    const before = await counts();
    const total = 3000;
    const args = ['--h1', '-n', `${total}`, '-c', '40', '-t', '1'];
    const { failed, text } = await h2load(`${plain}/bytes/10`, ...args);
    expect(failed, text).toBe(0);
    const after = await until('all are counted', async () => {
      const now = (await counts()).map((count, at) => count - (before[at] ?? 0));
      return now.reduce((sum, count) => sum + count, 0) >= total ? now : undefined;
    });
    for (const [at, count] of after.entries()) {
      const wanted = (total * (at + 1)) / 6;
      expect(Math.abs(count - wanted), `t${at + 1}: ${count}`).toBeLessThan(wanted * 0.05);
    }
  });

  test('a sticky cookie holds over workers, and over a restart', async () => {
    const { headers, target } = await ask(`${plain}/sticky`);
    const cookie = String(headers['set-cookie']?.[0]).split(';')[0] ?? '';
    const stuck = async () => {
      const asked = Array.from({ length: 30 }, () =>
        ask(`${plain}/sticky`, { headers: { cookie } }),
      );
      return new Set((await Promise.all(asked)).map((answer) => answer.target));
    };
    expect(await stuck()).toEqual(new Set([target]));
    await lb.end('SIGTERM');
    await lb.start();
    await lb.inForce();
    expect(await stuck()).toEqual(new Set([target]));
    // Its first character: of the last one some bits say nothing.
    const forged = cookie.replace(/=./, (first) => (first === '=A' ? '=B' : '=A'));
    const asked = Array.from({ length: 12 }, () =>
      ask(`${plain}/sticky`, { headers: { cookie: forged } }),
    );
    expect(new Set((await Promise.all(asked)).map((answer) => answer.target)).size).toBe(3);
  });
});

/** Of the certificate that a new connection is shown. */
async function certificateNames(): Promise<string> {
  const port = Number(new URL(secure).port);
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subjectaltname = '' } = socket.getPeerCertificate();
  socket.destroy();
  return subjectaltname;
}

describe('a reload', () => {
  /** Other routes, another pool, another certificate, one after the other. */
  async function change(): Promise<void> {
    const { certificates, routes, pools } = live.sections;
    const more = { name: 'more', paths: ['/more'], respond: { status: 200, body: 'more' } };
    await lb.serve({ ...live.sections, routes: [...routes, more] });
    expect((await ask(`${plain}/more`)).body).toBe('more');
    const fewer = pools.map((pool) =>
      pool.name === 'web' ? { ...pool, targets: pool.targets.slice(1) } : pool,
    );
    await lb.serve({ ...live.sections, pools: fewer });
    const [, ...rest] = certificates;
    const fresh = {
      name: 'a',
      chain: lb.certificate('a', ['a.example', '127.0.0.1', 'new.example']),
    };
    await lb.serve({ ...live.sections, certificates: [fresh, ...rest] });
    expect(await certificateNames()).toContain('new.example');
    live.sections = { ...live.sections, certificates: [fresh, ...rest] };
  }

  test('fails no request of HTTP/1.1, and keeps WebSockets', async () => {
    const open = await Promise.all(
      Array.from({ length: 6 }, () => webSocket(`${secure.replace('http', 'ws')}/live`)),
    );
    const [{ failed, requests, text }] = await Promise.all([
      wrk(`${plain}/bytes/100`, 4),
      change(),
    ]);
    expect(failed, text).toBe(0);
    expect(requests).toBeGreaterThan(0);
    for (const socket of open) expect(`${(await echoed(socket, 'still')).data}`).toBe('still');
    for (const socket of open) socket.terminate();
  });

  test('fails no request of HTTP/2', async () => {
    const args = ['-c', '8', '-m', '10', '-t', '1', '-D', '4'];
    const [{ failed, requests, text }] = await Promise.all([
      h2load(`${secure}/bytes/100`, ...args),
      change(),
    ]);
    expect(failed, text).toBe(0);
    expect(requests).toBeGreaterThan(0);
  });

  test('says beforehand which connections it ends, and ends these', async () => {
    const open = await Promise.all(
      Array.from({ length: 3 }, () => webSocket(`${plain.replace('http', 'ws')}/live`)),
    );
    const kept = await webSocket(`${plain.replace('http', 'ws')}/kept`);
    const next = {
      ...live.sections,
      routes: live.sections.routes.filter(({ name }) => name !== 'live'),
    };
    const records = lb.recordsOf(next);
    const isPools = ({ kind }: { kind: string }) => kind === 'pool';
    const question = {
      objects: records.filter((record) => !isPools(record)),
      pools: records.filter(isPools),
    };
    expect(await lb.control('POST', '/impact', question)).toEqual({
      impact: [
        { listener: 'web', why: 'its route live is gone or leads elsewhere', connections: 3 },
      ],
    });
    expect(
      await lb.control('POST', '/impact', {
        objects: lb.recordsOf(live.sections).filter((record) => !isPools(record)),
      }),
    ).toEqual({
      impact: [],
    });
    const ends = open.map((socket) => closed(socket));
    await lb.serve(next);
    expect((await Promise.all(ends)).map(({ code }) => code)).toEqual([1006, 1006, 1006]);
    expect(`${(await echoed(kept, 'still')).data}`).toBe('still');
    const removed = await until('the access log tells', () => {
      const lines = lb.accessLines().filter(({ cause }) => cause === 'removed');
      return lines.length === 3 ? lines : undefined;
    });
    expect(removed[0]).toMatchObject({ route: 'live', protocol: 'websocket', status: 101 });
    kept.terminate();
    await lb.serve(live.sections);
  });
});
