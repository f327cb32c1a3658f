// Clients that others wrote: curl, nghttp, h2load; plain and over TLS.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { needs, program } from '../../../support/skip.ts';
import { makeCertificate } from '../tls/certificates.ts';
import { Http2Rig } from './rig.ts';

const run = promisify(execFile);
const certificate = makeCertificate({ names: ['a.example'] });
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const BODY = 'x'.repeat(300_000);

let rig: Http2Rig;
afterEach(() => rig.close());

async function open(isSecure: boolean): Promise<void> {
  rig = await Http2Rig.open(isSecure ? { certificate } : {});
}

describe.each([false, true])('behind TLS: %j', (isSecure) => {
  test('curl', async (context) => {
    needs(context, program('curl'));
    await open(isSecure);
    rig.forwarder.atOnce = (handed) => {
      handed.respond(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n`, {
        isOver: false,
      });
      queueMicrotask(() => {
        handed.piece(BODY);
        handed.end();
      });
    };
    const protocol = isSecure ? '--http2' : '--http2-prior-knowledge';
    const args = ['-sSk', protocol, '-w', '\n%{http_version} %{http_code}', `${rig.url}/big`];
    const { stdout } = await run('curl', args, { maxBuffer: 1e7 });
    expect(stdout === `${BODY}\n2 200`).toBe(true);
    expect(await rig.journal.ends(1)).toMatchObject({ cause: 'ok', bytesOut: BODY.length });
  });

  test('curl, whose upload is echoed', async (context) => {
    needs(context, program('curl'));
    await open(isSecure);
    rig.forwarder.atOnce = (handed) => {
      const { endBody } = handed;
      handed.endBody = (trailers) => {
        endBody.call(handed, trailers);
        handed.respond(`HTTP/1.1 200 OK\r\nContent-Length: ${handed.body.length}\r\n\r\n`, {
          isOver: false,
        });
        handed.piece(handed.body);
        handed.end();
      };
    };
    const protocol = isSecure ? '--http2' : '--http2-prior-knowledge';
    const args = ['-sSk', protocol, '--data-binary', '@-', `${rig.url}/echo`];
    const child = run('curl', args, { maxBuffer: 1e7 });
    child.child.stdin?.end(BODY);
    expect((await child).stdout === BODY).toBe(true);
  });

  test('nghttp', async (context) => {
    needs(context, program('nghttp'));
    await open(isSecure);
    rig.forwarder.atOnce = (handed) => {
      handed.interim('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
      handed.respond('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nbody', {
        isOver: false,
      });
      handed.end('x-sum: 1\r\n');
    };
    const { stdout } = await run('nghttp', ['-nv', '--no-verify-peer', rig.url]);
    expect(stdout).toContain(':status: 103');
    expect(stdout).toContain(':status: 200');
    expect(stdout).toContain('x-sum: 1');
    expect(stdout).not.toMatch(/recv RST_STREAM/);
  });

  test('h2load: many streams of several connections at once', async (context) => {
    needs(context, program('h2load'));
    await open(isSecure);
    rig.forwarder.atOnce = (handed) => handed.respond(OK);
    const args = ['-n', '2000', '-c', '4', '-m', '50', `${rig.url}/`];
    const { stdout } = await run('h2load', args);
    expect(stdout).toMatch(
      /2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored/,
    );
    await rig.until('all are told', () => rig.journal.entries.length === 2000);
    expect(new Set(rig.journal.entries.map(({ cause }) => cause))).toEqual(new Set(['ok']));
    await rig.until('all connections are over', () => rig.closed === 4);
  });
});
