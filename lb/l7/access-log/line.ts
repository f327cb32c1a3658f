// The access log's line: JSON, one a request, stream or refused connection. Names are stable.
import type { AccessEntry } from '../types.ts';

const ms = (value: number): number => Math.round(value * 1000) / 1000;

/** `nowMs`: since the epoch, when it ended. */
export function accessLine(entry: AccessEntry, node: string, nowMs: number): string {
  const { client, forward, startedMs, endedMs } = entry;
  const { certificate } = client;
  const told = {
    time: new Date(nowMs).toISOString(),
    node,
    listener: entry.listener,
    route: entry.route,
    client: client.address,
    clientPort: client.port,
    protocol: entry.protocol,
    scheme: client.scheme,
    method: entry.method,
    host: entry.host,
    target: entry.target,
    status: entry.status,
    cause: entry.cause,
    detail: entry.detail,
    bytesIn: entry.bytesIn,
    bytesOut: entry.bytesOut,
    totalMs: ms(endedMs - startedMs),
    certificate: certificate?.fingerprint,
    ...(forward === undefined
      ? {}
      : {
          pool: forward.pool,
          backend: forward.target,
          tries: forward.tries,
          reused: forward.isReused,
          upstreamStatus: forward.status,
          upstreamBytes: forward.bytesIn,
          queueMs: ms(forward.queueMs),
          connectMs: ms(forward.connectMs),
          headMs: ms(forward.headMs),
        }),
  };
  return `${JSON.stringify(told)}\n`;
}
