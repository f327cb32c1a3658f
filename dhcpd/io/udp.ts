// Messages by UDP (RFC 2131 §4.1): from relays, and unicast from clients that a router brings.
//
// A link that is served by capture is heard here as well, since the kernel does not know: of what
// comes by it, each message belongs to one of the two. See `isCaptured`.

import { type BatchCounts, type Received, UdpBatch } from '../../shared/bpf/udp-batch.ts';
import type { Clock } from '../../shared/clock.ts';
import { OperationalError } from '../../shared/errors.ts';
import { type Ipv4, ipv4, parseIpv4 } from '../../shared/net/ipv4.ts';
import { type Endpoint, formatEndpoint } from '../../shared/net/ports.ts';
import type { Ingress, Outgoing } from './types.ts';

const BUFFER_BYTES = 8 * 1024 * 1024;
const SERVER_PORT = 67;
const ANY = ipv4(0);
const LOOPBACK = ipv4(0x7f000001);
const GIADDR_AT = 24;

export type UdpOptions = {
  listen: readonly Endpoint[];
  /** Whether any link is served by capture, ever. */
  hasLinks: boolean;
  /** Interface numbers of the links that are served by capture now. */
  capturedInterfaces: () => ReadonlySet<number>;
  clock: Clock;
  onMessage: (bytes: Uint8Array, ingress: Ingress) => void;
  /** Not taken here, because the capture of its link does. */
  onCaptured: () => void;
  onError: (error: unknown) => void;
};

/** Whether a message of a captured link is left to the capture: all but those of relays. */
export function isCaptured(bytes: Uint8Array, captureTakesRelayed: boolean): boolean {
  return captureTakesRelayed || !hasRelay(bytes);
}

/** Sockets for every address cover every link, so that relays' messages need no capture. */
export function coversEveryLink(listen: readonly Endpoint[]): boolean {
  return listen.some(({ host, port }) => host === '0.0.0.0' && port === SERVER_PORT);
}

function hasRelay(bytes: Uint8Array): boolean {
  return bytes.subarray(GIADDR_AT, GIADDR_AT + 4).some((byte) => byte !== 0);
}

type Bound = { address: Ipv4; port: number; mute?: true };

export class UdpTransport {
  readonly #options: UdpOptions;
  readonly #bound: Bound[];
  readonly #batch: UdpBatch;
  readonly #captureTakesRelayed: boolean;

  /** Listens at once; throws EDGE_DHCPD_LISTEN. */
  constructor(options: UdpOptions) {
    this.#options = options;
    this.#captureTakesRelayed = !coversEveryLink(options.listen);
    const heard = options.listen.map(({ host, port }) => ({
      address: parseIpv4(host) ?? ANY,
      port,
    }));
    // To send from, and so that the kernel tells no client of a captured link "port unreachable".
    const mute: Bound[] =
      options.hasLinks && this.#captureTakesRelayed
        ? [{ address: ANY, port: SERVER_PORT, mute: true }]
        : [];
    this.#bound = [...heard, ...mute];
    try {
      this.#batch = new UdpBatch({
        sockets: this.#bound,
        bufferBytes: BUFFER_BYTES,
        onDatagram: (datagram) => this.#take(datagram),
        onError: options.onError,
      });
    } catch (cause) {
      throw listenError(options.listen, cause);
    }
  }

  get counts(): Readonly<BatchCounts> {
    return this.#batch.counts;
  }

  send({ bytes, source, address, port }: Outgoing): void {
    const own = this.#bound.findIndex((each) => each.address === source);
    const socket = own >= 0 ? own : this.#bound.findIndex((each) => each.address === ANY);
    this.#batch.send(Math.max(0, socket), { bytes, source, address, port });
  }

  /** To an address that is listened on; false where there is none. */
  sendToSelf(bytes: Uint8Array): boolean {
    const [first] = this.#bound;
    if (first === undefined || first.mute) return false;
    const address = first.address === ANY ? LOOPBACK : first.address;
    this.#batch.send(0, { bytes, source: ANY, address, port: first.port });
    return true;
  }

  close(): Promise<void> {
    return this.#batch.close();
  }

  #take(datagram: Received): void {
    const { capturedInterfaces, clock, onMessage, onCaptured } = this.#options;
    const { bytes, interfaceIndex } = datagram;
    if (capturedInterfaces().has(interfaceIndex) && isCaptured(bytes, this.#captureTakesRelayed)) {
      onCaptured();
      return;
    }
    onMessage(bytes, {
      source: ipv4(datagram.address),
      sourcePort: datagram.port,
      destination: ipv4(datagram.destination),
      receivedMs: clock.monotonicMs(),
    });
  }
}

function listenError(listen: readonly Endpoint[], cause: unknown): OperationalError {
  const addresses = listen.map(formatEndpoint).join(', ') || `0.0.0.0:${SERVER_PORT}`;
  const isDenied = cause instanceof OperationalError && /EACCES|EPERM/.test(cause.message);
  return new OperationalError('EDGE_DHCPD_LISTEN', `cannot listen on ${addresses}`, {
    cause,
    exitCode: isDenied ? 77 : 1,
    remedy: isDenied
      ? 'CAP_NET_BIND_SERVICE, see Privileges'
      : 'does another DHCP server run here? Or choose other addresses: relayed.listen',
  });
}
