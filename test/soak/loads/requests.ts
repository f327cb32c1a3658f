// Requests at a rate, each checked: status, length and SHA-256 of the body. Half of them on kept
// connections, half on new ones. A kept connection that has gone before its response began costs a
// second try, as with any browser (RFC 9110 §9.2.2); it is no failure.
import { createHash } from 'node:crypto';
import { Agent, type ClientRequest, request } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import { testSum } from '../../../lab/server.ts';
import type { Load } from '../facts.ts';
import { paced, type Tally } from './tally.ts';

export type RequestPlan = {
  load: Load;
  /** Connected to this address and port, whatever the host's name. */
  address: string;
  port: number;
  scheme: 'http' | 'https';
  host: string;
  bytes: number;
  perSecond: number;
  /** All on new connections. */
  isFresh?: boolean;
};

const TIMEOUT_MS = 15_000;
const KEPT_SOCKETS = 2;

type Answer = { status: number; sum: string; bytes: number };
type Failed = { error: NodeJS.ErrnoException; isReused: boolean; isBegun: boolean };

function ask(plan: RequestPlan, agent: Agent | TlsAgent | false): Promise<Answer | Failed> {
  const options = {
    host: plan.address,
    port: plan.port,
    path: `/bytes/${plan.bytes}`,
    headers: { host: plan.host },
    agent,
    timeout: TIMEOUT_MS,
  };
  const tls = { servername: plan.host, rejectUnauthorized: false }; // the lab's own certificate
  return new Promise((resolve) => {
    let isBegun = false;
    const asked: ClientRequest =
      plan.scheme === 'https' ? requestTls({ ...options, ...tls }) : request(options);
    const fail = (error: Error): void => resolve({ error, isReused: asked.reusedSocket, isBegun });
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.on('error', fail);
    asked.on('response', (response) => {
      isBegun = true;
      const hash = createHash('sha256');
      let bytes = 0;
      response.on('data', (piece: Buffer) => {
        hash.update(piece);
        bytes += piece.length;
      });
      response.on('error', fail);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, sum: hash.digest('hex'), bytes });
      });
    });
    asked.end();
  });
}

export function keepAsking(plan: RequestPlan, tally: Tally): void {
  const kinds = { keepAlive: true, maxSockets: KEPT_SOCKETS, timeout: TIMEOUT_MS };
  const agent = plan.scheme === 'https' ? new TlsAgent(kinds) : new Agent(kinds);
  const wanted = testSum(plan.bytes);
  paced(plan.perSecond, async (round) => {
    const sinceMs = Date.now();
    const isKept = plan.isFresh !== true && round % 2 === 0;
    let answer = await ask(plan, isKept ? agent : false);
    if ('error' in answer && answer.isReused && !answer.isBegun) answer = await ask(plan, false);
    judge(plan, answer, wanted, sinceMs, tally);
  });
}

function judge(
  { load, address, scheme }: RequestPlan,
  answer: Answer | Failed,
  wanted: string,
  sinceMs: number,
  tally: Tally,
): void {
  const where = `${scheme}://${address}`;
  if ('error' in answer) {
    const { error, isBegun } = answer;
    const when = isBegun ? ' in the middle of the response' : '';
    tally.trouble(load, 'failed', `${where}: ${error.message}${when}`, sinceMs);
  } else if (answer.status !== 200) {
    tally.trouble(load, 'failed', `${where}: status ${answer.status}`, sinceMs);
  } else if (answer.sum !== wanted) {
    tally.trouble(load, 'corrupt', `${where}: ${answer.bytes} bytes, not those`, sinceMs);
  } else {
    tally.done(load, Date.now() - sinceMs);
    tally.bytes(load, answer.bytes);
  }
}
