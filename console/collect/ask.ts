// A page of a member's admin port, read with bounds: time, bytes, no redirects.
import { describeError } from '../../shared/errors.ts';

export type AskOptions = {
  timeoutMs: number;
  maxBytes: number;
  token?: string;
  signal: AbortSignal;
};

/** What `ask` says instead of a text: why there is none, in words for a table. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
}

/** `address`: host:port. Throws Unanswered. */
export async function ask(address: string, path: string, options: AskOptions): Promise<string> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([timeout, options.signal]);
  const headers: Record<string, string> = { 'Accept-Encoding': 'identity' };
  if (options.token !== undefined) headers.Authorization = `Bearer ${options.token}`;
  try {
    const answer = await fetch(`http://${address}${path}`, { signal, headers, redirect: 'manual' });
    if (answer.ok && answer.body !== null) return await readAll(answer.body, options.maxBytes);
    await answer.body?.cancel();
    throw new Unanswered(refusalText(answer.status, options.token !== undefined));
  } catch (error) {
    if (error instanceof Unanswered) throw error;
    if (timeout.aborted) throw new Unanswered(`did not answer within ${options.timeoutMs} ms`);
    const cause = error instanceof TypeError ? (error.cause ?? error) : error; // fetch wraps it
    throw new Unanswered(describeError(cause));
  }
}

function refusalText(status: number, hadToken: boolean): string {
  if (status === 401) return hadToken ? 'does not take our token' : 'wants a token: adminTokenFile';
  if (status === 503) return 'says that it is not ready yet';
  return `answers with HTTP ${status}`;
}

async function readAll(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new Unanswered(`its answer is longer than ${maxBytes / 2 ** 20} MiB`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
