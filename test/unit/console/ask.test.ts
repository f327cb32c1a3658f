import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, Unanswered } from '../../../console/collect/ask.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serving(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP
}

const bounds = { timeoutMs: 20_000, maxBytes: 2 ** 20, signal: new AbortController().signal };

async function refusal(listener: RequestListener, timeoutMs = 20_000): Promise<string> {
  const address = await serving(listener);
  const error = await ask(address, '/', { ...bounds, timeoutMs }).then(
    String,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Unanswered)) throw error;
  return error.message;
}

describe('asking a member', () => {
  test('gives its page, for the token', async () => {
    const address = await serving((request, response) => {
      response.end(request.headers.authorization);
    });
    expect(await ask(address, '/x', { ...bounds, token: 't' })).toBe('Bearer t');
  });

  test('one that says nothing is left after a while', async () => {
    expect(await refusal(() => {}, 300)).toBe('did not answer within 300 ms');
  });

  test('one that never ends is cut off', async () => {
    const endless: RequestListener = (_, response) => {
      const more = (): void => void response.write(Buffer.alloc(2 ** 16), more);
      more();
    };
    expect(await refusal(endless)).toBe('its answer is longer than 1 MiB');
  });

  test.each([
    [401, 'wants a token: adminTokenFile'],
    [503, 'says that it is not ready yet'],
    [404, 'answers with HTTP 404'],
    [302, 'answers with HTTP 302'],
  ])('HTTP %s is told', async (status, words) => {
    const listener: RequestListener = (_, response) => {
      response.writeHead(status, { Location: 'http://127.0.0.1:1/' }).end();
    };
    expect(await refusal(listener)).toBe(words);
  });

  test('one that is not there is told', async () => {
    const address = await serving(() => {});
    await new Promise((resolve) => server?.close(resolve));
    await expect(ask(address, '/', bounds)).rejects.toThrow(/ECONNREFUSED/);
  });
});
