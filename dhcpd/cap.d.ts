// What dhcpd uses of the npm package cap (libpcap). Its default export is all there is: CommonJS.
//
// What the signatures do not say: an object that was opened, or could not be, must stay referenced
// for as long as the process lives, closed or not, and is opened only once; its buffer stays
// referenced until it is closed, and each frame overwrites the one before. When the link goes down
// it falls silent for good: open another one. Sending on a closed one ends the process.
declare module 'cap' {
  import type { EventEmitter } from 'node:events';

  export interface Cap extends EventEmitter<{ packet: [sizeBytes: number, truncated: boolean] }> {
    /** The link type: 'ETHERNET'. A ring of `ringBytes`, and `buffer` for one frame. */
    open(device: string, filter: string, ringBytes: number, buffer: Buffer): string;
    /** Throws an Error without a code. */
    send(frame: Buffer, sizeBytes?: number): void;
    /** Whether it was open. */
    close(): boolean;
  }

  const cap: {
    Cap: new () => Cap;
    /** The first device with this address, or with any. */
    findDevice(address?: string): string | undefined;
  };
  export default cap;
}
