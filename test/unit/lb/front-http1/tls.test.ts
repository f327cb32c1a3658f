// The same over TLS, whose sockets keep what they are given and cannot send RST.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FrontRig } from '../../../support/lb/http/front-rig.ts';
import { certificateFor } from '../../dns/transports/certificate.ts';

let rig: FrontRig;
beforeAll(async () => {
  const { certificate, key } = certificateFor('a.example');
  rig = await FrontRig.open({ tls: { cert: certificate, key } });
});
afterAll(() => rig.close());

const get = (version = '1.1') => `GET / HTTP/${version}\r\nHost: a\r\n\r\n`;

it('answers one request after the other, large and small', async () => {
  const client = await rig.client();
  for (const size of [2, 5000, 3_000_000]) {
    client.send(get());
    const handed = await rig.forwarder.next();
    expect(handed.request.client.scheme).toBe('https');
    const text = String(size).padEnd(size, '.').slice(0, size);
    handed.respond(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${text}`);
    expect((await client.message()).body === text).toBe(true);
  }
});

it('does not mix the answers of two that do not read', async () => {
  const clients = [await rig.client(), await rig.client()];
  for (const client of clients) client.send(get());
  const handed = [await rig.forwarder.next(), await rig.forwarder.next()];
  for (const client of clients) client.pause();
  for (const one of handed) one.respond('HTTP/1.1 200 OK\r\n\r\n', { isOver: false });
  for (let round = 0; round < 300; round++) {
    for (const [at, one] of handed.entries()) one.piece(String(at).repeat(5000));
  }
  for (const one of handed) one.end();
  for (const client of clients) client.resume();
  const bodies = await Promise.all(clients.map(async (client) => (await client.message()).body));
  const expected = ['0'.repeat(1_500_000), '1'.repeat(1_500_000)];
  expect(bodies.toSorted()).toEqual(expected);
});

it('ends with a response that is cut', async () => {
  for (const version of ['1.0', '1.1']) {
    const client = await rig.client();
    client.send(get(version));
    const handed = await rig.forwarder.next();
    handed.respond('HTTP/1.1 200 OK\r\n\r\nabc', { isOver: false });
    await client.to('abc');
    handed.cut({ status: 502, cause: 'upstream-reset' });
    expect((await client.gone()).received).not.toContain('0\r\n\r\n');
  }
  expect(await rig.journal.ends(7)).toMatchObject({ cause: 'upstream-reset' });
});
