// HTTP and HTTPS: one GET on a connection of its own, no redirects; the status, and when told the
// body's first 64 KiB, decide (RFC 9110; SNI: RFC 6066 §3). /readyz of our own services, too.
import * as http from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import { formatEndpoint } from '../net/ports.ts';
import {
  attempt,
  bad,
  codeOf,
  type Deadline,
  good,
  type Place,
  settleBy,
  type Verdict,
} from './probe-attempt.ts';
import type { CheckSettings, ProbeResult } from './types.ts';

const MAX_BODY_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
const USER_AGENT = 'edgeplane-health';

export type HttpCheck = Extract<CheckSettings, { type: 'http' | 'https' }>;
type Asked = Pick<HttpCheck, 'type' | 'path' | 'host' | 'status' | 'expect' | 'verify'>;

const readyz: Asked = { type: 'http', path: '/readyz', status: [200, 200], verify: false };

export class HttpProbe {
  readonly #ca: string | undefined;
  readonly #agents = {
    http: new http.Agent({ maxSockets: Number.POSITIVE_INFINITY }),
    // Each probe shakes hands anew: a server that only resumes sessions is not well.
    https: new https.Agent({ maxSockets: Number.POSITIVE_INFINITY, maxCachedSessions: 0 }),
  };

  /** `ca`: PEM of those whose certificates are believed; the runtime's own without. */
  constructor(ca?: string) {
    this.#ca = ca;
  }

  readyz(place: Place, deadline: Deadline): Promise<ProbeResult> {
    return this.probe(place, readyz, deadline);
  }

  probe(place: Place, asked: Asked, deadline: Deadline): Promise<ProbeResult> {
    return attempt(deadline, (settle) => {
      const request = this.#request(place, asked);
      request.on('error', (error) => {
        const verdict = verdictOf(error);
        if (verdict === undefined) settleBy(error, place.address, settle);
        else settle(verdict);
      });
      request.on('response', (response) => judge(response, asked, settle));
      request.on('upgrade', (_, socket) => {
        socket.destroy();
        settle(bad('status 101'));
      });
      request.end();
      return () => request.destroy();
    });
  }

  #request({ address, port }: Place, asked: Asked): http.ClientRequest {
    const { type, path, host, verify } = asked;
    const options = {
      host: address,
      port,
      path,
      agent: this.#agents[type],
      headers: {
        host: host ?? formatEndpoint({ host: address, port }),
        'user-agent': USER_AGENT,
        accept: '*/*',
        connection: 'close',
      },
      maxHeaderSize: MAX_HEADER_BYTES,
    };
    if (type === 'http') return http.request(options);
    return https.request({
      ...options,
      servername: host !== undefined && isIP(host) === 0 ? host : '',
      rejectUnauthorized: verify,
      ...(this.#ca === undefined ? {} : { ca: this.#ca }),
    });
  }
}

function judge(
  response: http.IncomingMessage,
  { status: [from, to], expect = '' }: Asked,
  settle: (verdict: Verdict) => void,
): void {
  const { statusCode = 0 } = response;
  response.on('error', (error) => settle(verdictOf(error) ?? bad('closed by the target')));
  if (statusCode < from || statusCode > to) settle(bad(`status ${statusCode}`));
  else if (expect === '') settle(good(`status ${statusCode}`));
  else seek(response, Buffer.from(expect), settle);
}

function seek(
  response: http.IncomingMessage,
  wanted: Buffer,
  settle: (verdict: Verdict) => void,
): void {
  const body = Buffer.allocUnsafe(MAX_BODY_BYTES);
  let used = 0;
  response.on('data', (chunk: Buffer) => {
    const from = Math.max(0, used - wanted.length + 1);
    used += chunk.copy(body, used);
    if (body.subarray(from, used).includes(wanted)) {
      settle(good(`status ${response.statusCode}, the expected text`));
    } else if (used === MAX_BODY_BYTES) {
      settle(bad('the expected text is not in the first 64 KiB'));
    }
  });
  response.on('end', () => settle(bad('the expected text is not in the body')));
}

/** Of what TLS and the parser say; undefined: it is the system's error. */
function verdictOf(error: Error): Verdict | undefined {
  const code = codeOf(error);
  if (code === 'HPE_HEADER_OVERFLOW') return bad('headers of more than 16 KiB');
  if (code.startsWith('HPE_')) return bad('answers no HTTP');
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return bad('certificate of another name');
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return bad(`TLS failed: ${code}`);
  if (code.startsWith('ERR_') || !code.includes('_')) return undefined;
  return bad(`certificate refused: ${code.toLowerCase().replaceAll('_', ' ')}`); // OpenSSL's names
}
