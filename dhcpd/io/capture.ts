// Frames of one link by libpcap, both ways: the npm package `cap`, and what one has to know of it.
//
// It always turns promiscuous mode on: the filter has to name the MACs that are wanted. When the
// link goes down it stops to hear and says nothing (built with assertions it would end the process:
// deploy/setup.sh builds it without), so the owner watches the link, closes, and opens again. A
// `Cap` that was opened must never be collected: libuv keeps a pointer into it.

import cap from 'cap';
import { OperationalError } from '../../shared/errors.ts';

export interface Capture {
  /** A whole frame; throws EDGE_DHCPD_CAPTURE when the link does not take it. */
  send(frame: Uint8Array): void;
  close(): void;
}

/** `onFrame` is lent the frame: it is overwritten by the next one. */
export type OpenCapture = (
  link: string,
  filter: string,
  ringBytes: number,
  onFrame: (frame: Uint8Array) => void,
) => Capture;

const FRAME_BYTES = 65_536;

const neverCollected: unknown[] = [];

/** Throws EDGE_DHCPD_CAPTURE. */
export const openCapture: OpenCapture = (link, filter, ringBytes, onFrame) => {
  const pcap = new cap.Cap();
  const memory = Buffer.alloc(FRAME_BYTES);
  neverCollected.push(pcap);
  let isOpen = true;
  try {
    const type = pcap.open(link, filter, ringBytes, memory);
    if (type !== 'ETHERNET') {
      pcap.close();
      throw new Error(`frames of type ${type}`);
    }
  } catch (cause) {
    throw captureError(link, cause);
  }
  pcap.on('packet', (byteLength: number, isTruncated: boolean) => {
    if (isOpen && !isTruncated) onFrame(memory.subarray(0, byteLength));
  });
  return {
    send(frame) {
      if (!isOpen) throw captureError(link, new Error('closed'));
      try {
        pcap.send(Buffer.from(frame.buffer, frame.byteOffset, frame.length), frame.length);
      } catch (cause) {
        throw captureError(link, cause);
      }
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      pcap.close();
      pcap.removeAllListeners(); // and with them the memory
    },
  };
};

function captureError(link: string, cause: unknown): OperationalError {
  const isDenied = /permission|not permitted/i.test(String(cause));
  return new OperationalError('EDGE_DHCPD_CAPTURE', `frames of ${link} cannot be had`, {
    cause,
    remedy: 'CAP_NET_RAW, and an Ethernet link that is up',
    exitCode: isDenied ? 77 : 1,
  });
}
