// `edgectl explain GET URL`: what one of the workers would do with the request.
import { OperationalError } from '../../shared/errors.ts';
import { parseIpv4 } from '../../shared/net/ipv4.ts';
import { parseIpv6 } from '../../shared/net/ipv6.ts';
import type { LbService } from '../service.ts';
import type { ExplainRequest } from '../workers/messages.ts';

export async function explainHttp(lb: LbService, body: unknown): Promise<unknown> {
  return lb.options.workers.askOne({ what: 'explain', request: readRequest(body) });
}

/** Throws EDGE_LB_QUESTION with what is wrong. */
export function readRequest(body: unknown): ExplainRequest {
  const refuse = (what: string): OperationalError =>
    new OperationalError('EDGE_LB_QUESTION', what, {
      remedy: 'ask as: GET https://www.example.com/path, from an address, with headers',
    });
  if (typeof body !== 'object' || body === null) throw refuse('no question');
  const { method, url, from, headers = [] } = body as Record<string, unknown>;
  if (typeof method !== 'string' || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method)) {
    throw refuse(`${JSON.stringify(method)} is no method`);
  }
  if (typeof url !== 'string' || !URL.canParse(url) || !/^https?:/.test(url)) {
    throw refuse(`${JSON.stringify(url)} is no http or https URL`);
  }
  const isAddress =
    typeof from === 'string' && (parseIpv4(from) !== undefined || parseIpv6(from) !== undefined);
  if (!isAddress) throw refuse(`${JSON.stringify(from)} is no address`);
  return { method, url, from, headers: readHeaders(headers, refuse) };
}

function readHeaders(headers: unknown, refuse: (what: string) => OperationalError) {
  if (!Array.isArray(headers)) throw refuse('headers are a list of [name, value]');
  return headers.map((each: unknown): [string, string] => {
    const [name, value]: unknown[] = Array.isArray(each) ? each : [];
    if (typeof name === 'string' && typeof value === 'string') return [name, value];
    throw refuse(`${JSON.stringify(each)} is no header`);
  });
}
