// The far ends of the routers' links: what arrives is counted, or kept, and dropped.
import { join } from 'node:path';
import { createBpf } from '../../../shared/bpf/kernel.ts';
import type { BpfObject } from '../../../shared/bpf/types.ts';
import { linkIndex } from './links.ts';

const OBJECT = join(import.meta.dirname, '../bpf/sink.bpf.o');
const LINKS = 256; // as in sink.bpf.c
const bpf = createBpf();
let object: BpfObject | undefined;

const open = (): BpfObject => {
  object ??= bpf.load({ objectPath: OBJECT });
  return object;
};

const part = <T>(parts: ReadonlyMap<string, T>, name: string): T => {
  const found = parts.get(name);
  if (!found) throw new Error(`${OBJECT} lacks ${name}`);
  return found;
};

const keyOf = (link: string): Uint8Array =>
  new Uint8Array(Uint32Array.of(linkIndex(link) & (LINKS - 1)).buffer);

export function attachSink({ links, capture }: { links: string[]; capture: boolean }): null {
  const program = part(open().programs, capture ? 'capture' : 'count');
  for (const link of links) {
    const at = { ifindex: linkIndex(link), handle: 1, priority: 1 };
    bpf.attachTc({ ...at, direction: 'ingress' }, program);
  }
  return null;
}

/** Packets since the sink was attached. */
export function arrived({ link }: { link: string }): number {
  const cells = part(open().maps, 'arrived').lookup(keyOf(link));
  if (!cells) throw new Error(`no count of ${link}`);
  const counts = new BigUint64Array(Uint8Array.from(cells).buffer);
  return Number(counts.reduce((sum, count) => sum + count, 0n));
}

/** The first 60 bytes of the last packet. */
export function captured({ link }: { link: string }): number[] {
  const bytes = part(open().maps, 'captures').lookup(keyOf(link));
  if (!bytes) throw new Error(`no capture of ${link}`);
  return [...bytes];
}
