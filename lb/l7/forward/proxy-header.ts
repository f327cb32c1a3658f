// The PROXY header by which a target learns whose connection it is given.
import { writeProxyHeader } from '../proxy-protocol/write.ts';
import type { ClientInfo } from '../types.ts';

/** `version` undefined: the pool has none. */
export function proxyHeaderOf(version: 1 | 2 | undefined, client: ClientInfo): Buffer | undefined {
  if (version === undefined) return undefined;
  const { address, port, localAddress, localPort } = client;
  const destination = { address: localAddress, port: localPort };
  return writeProxyHeader(version, { address, port }, destination);
}
