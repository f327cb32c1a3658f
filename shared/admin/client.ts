// The other end of the control socket: what edgectl and tests speak to a daemon with.
import { type IncomingMessage, request } from 'node:http';
import { type ErrorCode, OperationalError } from '../errors.ts';
import { parseListen } from '../net/ports.ts';

export type ControlOptions = { signal?: AbortSignal; timeoutMs?: number };

const defaultTimeoutMs = 10_000;
const adminTimeoutMs = 5000;
const maxAnswerBytes = 256 * 1024 * 1024;

/**
 * The JSON that the verb answers with. Throws what the daemon threw, by its code; EDGE_NOT_RUNNING
 * (exit code 3), EDGE_NO_PERMISSION (77) or EDGE_CONTROL_FAILED when it could not be asked.
 */
export async function controlRequest(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  options: ControlOptions = {},
): Promise<unknown> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? defaultTimeoutMs);
  const signal = AbortSignal.any([timeout, ...(options.signal ? [options.signal] : [])]);
  try {
    const answer = await send(socketPath, method, path, body, signal);
    return JSON.parse(await readAll(answer));
  } catch (error) {
    throw explain(socketPath, timeout.aborted ? timeout.reason : error, options.signal);
  }
}

/** `token` is asked for where the admin pages want one (admin.tokenFile). */
export type AdminOptions = ControlOptions & { token?: string | undefined };

/**
 * The JSON of a page of the admin pages at host:port or unix:/path. Throws what the daemon threw,
 * EDGE_ADMIN_TOKEN where the token is missing or wrong, or EDGE_CONTROL_FAILED.
 */
export async function adminRequest(
  address: string,
  path: string,
  options: AdminOptions = {},
): Promise<unknown> {
  const text = await adminPage(address, path, options);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable(address, cause);
  }
}

/** The same as text, as /metrics is. */
export async function adminPage(
  address: string,
  path: string,
  options: AdminOptions = {},
): Promise<string> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? adminTimeoutMs);
  const signal = AbortSignal.any([timeout, ...(options.signal ? [options.signal] : [])]);
  try {
    const answer = await askAdmin(address, path, options.token, signal);
    const text = await readAll(answer);
    if (answer.statusCode === 200) return text;
    if (answer.statusCode === 401) throw tokenError(address, options.token);
    throw refusal(JSON.parse(text));
  } catch (error) {
    if (error instanceof OperationalError) throw error;
    options.signal?.throwIfAborted();
    throw unreadable(address, timeout.aborted ? timeout.reason : error);
  }
}

function askAdmin(
  address: string,
  path: string,
  token: string | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const listen = parseListen(address);
  if (listen === undefined) throw new Error(`${JSON.stringify(address)} is no host:port`);
  const place = 'path' in listen ? { socketPath: listen.path } : listen;
  const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const headers = { Connection: 'close', ...authorization };
  return new Promise((resolve, reject) => {
    request({ ...place, path, headers, signal }, resolve)
      .once('error', reject)
      .end();
  });
}

function unreadable(address: string, cause: unknown): OperationalError {
  const message = `the admin pages at ${address} cannot be read`;
  return new OperationalError('EDGE_CONTROL_FAILED', message, { cause });
}

function tokenError(address: string, token: string | undefined): OperationalError {
  const what = token === undefined ? 'want a token' : 'do not take this token';
  return new OperationalError('EDGE_ADMIN_TOKEN', `the admin pages at ${address} ${what}`, {
    remedy: 'set adminTokenFile to a file with a token of its admin.tokenFile',
  });
}

/** The bytes that the verb streams, until it ends or the signal aborts. */
export async function* controlStream(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<Uint8Array> {
  try {
    const answer = await send(socketPath, method, path, body, options.signal);
    yield* answer as AsyncIterable<Uint8Array>; // no encoding is set
  } catch (error) {
    if (options.signal?.aborted) return;
    throw explain(socketPath, error, options.signal);
  }
}

async function send(
  socketPath: string,
  method: string,
  path: string,
  body: unknown,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  const text = body === undefined ? '' : JSON.stringify(body);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { 'Content-Length': Buffer.byteLength(text), Connection: 'close' };
    const options = { socketPath, method, path, headers, ...(signal && { signal }) };
    request(options, resolve).once('error', reject).end(text);
  });
  if (answer.statusCode === 200) return answer;
  throw refusal(JSON.parse(await readAll(answer)));
}

async function readAll(answer: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes)
      throw new Error(`the answer is longer than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function refusal(failure: unknown): OperationalError {
  const { code, message, remedy } = Object(failure) as Record<string, unknown>;
  const text = typeof message === 'string' ? message : 'the daemon refused without a reason';
  const known = typeof code === 'string' && code.startsWith('EDGE_');
  return new OperationalError(
    known ? (code as ErrorCode) : 'EDGE_CONTROL_FAILED',
    text,
    typeof remedy === 'string' ? { remedy } : {},
  );
}

function explain(socketPath: string, error: unknown, signal?: AbortSignal): unknown {
  if (error instanceof OperationalError) return error;
  if (signal?.aborted) return signal.reason;
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return new OperationalError('EDGE_NOT_RUNNING', `no daemon answers on ${socketPath}`, {
      cause: error,
      remedy: 'start it, or name another socket',
      exitCode: 3,
    });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new OperationalError('EDGE_NO_PERMISSION', `${socketPath} may not be opened`, {
      cause: error,
      remedy: 'run as root or as a member of its group',
      exitCode: 77,
    });
  }
  const timedOut = error instanceof Error && error.name === 'TimeoutError';
  const message = timedOut ? 'did not answer in time' : 'could not be asked';
  return new OperationalError('EDGE_CONTROL_FAILED', `${socketPath} ${message}`, { cause: error });
}
