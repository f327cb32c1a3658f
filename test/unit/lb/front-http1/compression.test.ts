// gzip on the way to the client: RFC 9110, 8.4, 8.8.1 and 12.5.5.
import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrontRig } from '../../../support/lb/http/front-rig.ts';

let rig: FrontRig;
beforeEach(async () => {
  rig = await FrontRig.open();
  rig.policy.compress = () => true;
});
afterEach(() => rig.close());

const get = (version = '1.1') =>
  `GET / HTTP/${version}\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n`;
const unzipped = (body: string) => gunzipSync(Buffer.from(body, 'latin1')).toString('latin1');

describe('a response that is compressed', () => {
  it.each(['1.1', '1.0'])('has all its content, HTTP/%s', async (version) => {
    const client = await rig.client();
    client.send(get(version));
    const text = 'hello, hello, hello. '.repeat(20_000);
    const handed = await rig.forwarder.next();
    handed.respond(
      `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: "x1"\r\nVary: Cookie\r\nAccept-Ranges: bytes\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    );
    const { head, body } = await client.message();
    expect(head).toMatch(/^Content-Encoding: gzip$/m);
    expect(head).toMatch(/^ETag: W\/"x1"$/m);
    expect(head).toMatch(/^Vary: Cookie, Accept-Encoding$/m);
    expect(head).not.toMatch(/^(content-length|accept-ranges):/im);
    expect(body.length).toBeLessThan(text.length / 4);
    expect(unzipped(body)).toBe(text);
    expect(await rig.journal.ends(1)).toMatchObject({ bytesOut: body.length, cause: 'ok' });
    if (version === '1.0') return;
    rig.policy.compress = () => false;
    client.send(get());
    (await rig.forwarder.next()).respond('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await client.message()).body).toBe('ok');
  });

  it('does not wait in the compressor while the target pauses', async () => {
    const client = await rig.client();
    client.send(get());
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfirst', { isOver: false });
    await client.head();
    const before = client.receivedBytes;
    await rig.pass(250);
    await rig.until('it comes', () => client.receivedBytes > before + 15);
    handed.piece('second');
    handed.end();
    await rig.journal.ends(1);
  });

  it('waits for a client that does not read', async () => {
    const client = await rig.client();
    client.send(get());
    client.pause();
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 200 OK\r\n\r\n', { isOver: false });
    const noise = randomBytes(60_000);
    let sent = 0;
    let resumed = -1;
    // As a forwarder does: no more until it is asked for.
    const feed = () => {
      while (handed.resumed > resumed || resumed < 0) {
        resumed = handed.resumed;
        do sent += noise.length;
        while (handed.incoming.onBody(noise) && sent < 90_000_000);
        if (sent >= 90_000_000) return;
      }
    };
    let before = -1;
    let still = 0;
    await rig.until('no more is taken', () => {
      feed();
      still = sent === before ? still + 1 : 0;
      before = sent;
      return still > 50;
    });
    expect(sent).toBeLessThan(90_000_000);
    client.resume();
    await rig.until('more is asked for', () => handed.resumed > resumed);
    handed.end();
    const { body } = await client.message();
    expect(unzipped(body).length).toBe(sent);
  });

  it('that is cut has no end', async () => {
    const client = await rig.client();
    client.send(get());
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 200 OK\r\n\r\nabc', { isOver: false });
    await client.head();
    handed.cut({ status: 502, cause: 'upstream-reset' });
    expect((await client.gone()).received).not.toMatch(/0\r\n\r\n$/);
    expect(rig.journal.entries).toMatchObject([{ cause: 'upstream-reset' }]);
  });
});
