// From an accepted socket to who asks: the peer's address, or what its PROXY header says.
import type { Socket } from 'node:net';
import type { Listener } from '../../shared/site/lb-objects.ts';
import { PrefixSet } from '../l7/policy/prefix-set.ts';
import type { ClientInfo } from '../l7/types.ts';

const MAPPED = '::ffff:';

/** IPv4-mapped as IPv4. '' when it is gone already. */
export function peerAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith(MAPPED) && address.includes('.') ? address.slice(7) : address;
}

/** As the socket itself says. */
export function clientOf(socket: Socket, isTrusted: boolean): ClientInfo {
  return {
    address: peerAddress(socket.remoteAddress),
    port: socket.remotePort ?? 0,
    localAddress: peerAddress(socket.localAddress),
    localPort: socket.localPort ?? 0,
    scheme: 'http',
    isTrusted,
  };
}

/** Of a listener: whom it believes what. */
export class Peers {
  readonly #proxy: PrefixSet;
  readonly #trusted: PrefixSet;

  constructor({ proxyFrom, trusted }: Listener) {
    this.#proxy = new PrefixSet(proxyFrom);
    this.#trusted = new PrefixSet(trusted);
  }

  /** It must begin with a PROXY header. */
  isProxy(address: string): boolean {
    return this.#proxy.has(address);
  }

  isTrusted(address: string): boolean {
    return this.#trusted.has(address);
  }
}
