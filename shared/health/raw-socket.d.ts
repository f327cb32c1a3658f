// What health checks use of the npm package raw-socket: ICMP echo, of both families.
//
// What the signatures do not say: a message is a view of one buffer that the next one overwrites,
// and begins with the IPv4 header (of IPv6 there is none); every socket is given every ICMP message
// of the host. After close() a send is never answered.
declare module 'raw-socket' {
  import type { EventEmitter } from 'node:events';

  export interface Socket
    extends EventEmitter<{ message: [Buffer, source: string]; error: [Error]; close: [] }> {
    /** The error has no code. */
    send(
      message: Buffer,
      offset: number,
      sizeBytes: number,
      address: string,
      sent: (error: Error | null, sizeBytes: number) => void,
    ): this;
    /** A number; or bytes with their length, such as a device's name and a zero byte. */
    setOption(level: number, option: number, value: number): void;
    setOption(level: number, option: number, value: Buffer, sizeBytes: number): void;
    pauseRecv(): this;
    resumeRecv(): this;
    close(): this;
  }

  export const Protocol: { readonly ICMP: number; readonly ICMPv6: number };
  export const AddressFamily: { readonly IPv4: number; readonly IPv6: number };
  export const SocketLevel: { readonly SOL_SOCKET: number; readonly IPPROTO_IP: number };
  export const SocketOption: {
    readonly SO_RCVBUF: number;
    readonly SO_SNDBUF: number;
    readonly SO_BINDTODEVICE: number;
    readonly IP_TTL: number;
  };

  export function createSocket(options: {
    protocol: number;
    addressFamily?: number;
    bufferSize?: number;
  }): Socket;
  /** The Internet checksum (RFC 1071) of the whole buffer. */
  export function createChecksum(buffer: Buffer): number;
  export function writeChecksum(buffer: Buffer, offset: number, checksum: number): Buffer;
}
