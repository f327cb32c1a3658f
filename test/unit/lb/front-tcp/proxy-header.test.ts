import { once } from 'node:events';
import { expect, test } from 'vitest';
import { readProxyHeader } from '../../../../lb/l7/proxy-protocol/read.ts';
import { poolOf, startFront, startTarget } from './rig.ts';

test.each([1, 2] as const)('a target sees for whom it is, by version %i', async (version) => {
  const target = await startTarget(() => {});
  const rig = await startFront([poolOf('www', [target.port], { sendProxy: version })]);
  const client = rig.connect();
  await once(client, 'connect');
  const { localPort } = client;
  client.write('the first byte');
  await expect.poll(() => target.sockets.length).toBe(1);
  let heard = Buffer.alloc(0);
  target.sockets[0]?.on('data', (bytes: Buffer) => {
    heard = Buffer.concat([heard, bytes]);
  });
  await expect.poll(() => heard.includes('the first byte')).toBe(true);
  const header = readProxyHeader(heard, 0, heard.length);
  expect(header).toMatchObject({
    source: { address: '127.0.0.1', port: localPort },
    destination: { address: '127.0.0.1', port: rig.port },
  });
  const bytes = typeof header === 'object' && 'bytes' in header ? header.bytes : 0;
  expect(heard.subarray(bytes).toString()).toBe('the first byte');
  client.end();
  target.sockets[0]?.end();
  expect(await rig.entry()).toMatchObject({ cause: 'ok', bytesIn: 14, bytesOut: 0 });
});
