// Reads what we need of an ELF64 little-endian object: sections and symbols (System V gABI).
import { stringAt, viewOf } from './bytes.ts';

export interface ElfSection {
  name: string;
  bytes: Uint8Array;
  /** As the header says; larger than `bytes` for sections without contents. */
  size: number;
}

export interface ElfSymbol {
  name: string;
  /** Index into `sections`. */
  section: number;
  /** Offset in the section. */
  value: number;
  size: number;
  function: boolean;
  global: boolean;
}

export interface ElfFile {
  sections: ElfSection[];
  symbols: ElfSymbol[];
}

const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;

/** Throws RangeError on a file that is cut short, Error on one that is no such ELF. */
export function readElf(file: Uint8Array): ElfFile {
  const view = viewOf(file);
  const isElf = file.length >= 64 && view.getUint32(0) === 0x7f454c46;
  if (!isElf || file[4] !== 2 || file[5] !== 1) throw new Error('not a 64-bit little-endian ELF');
  const headersAt = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  const namesIndex = view.getUint16(62, true);

  const headers = Array.from({ length: count }, (_, index) => {
    const at = headersAt + index * SECTION_HEADER_BYTES;
    const type = view.getUint32(at + 4, true);
    const offset = Number(view.getBigUint64(at + 24, true));
    const size = Number(view.getBigUint64(at + 32, true));
    const bytes = file.subarray(offset, offset + (type === SHT_NOBITS ? 0 : size));
    return {
      nameAt: view.getUint32(at, true),
      type,
      link: view.getUint32(at + 40, true),
      bytes,
      size,
    };
  });
  const names = headers[namesIndex]?.bytes ?? new Uint8Array(0);
  const sections = headers.map(({ nameAt, bytes, size }) => ({
    name: stringAt(names, nameAt),
    bytes,
    size,
  }));
  const table = headers.find((header) => header.type === SHT_SYMTAB);
  const strings = table && headers[table.link];
  return { sections, symbols: table && strings ? readSymbols(table.bytes, strings.bytes) : [] };
}

function readSymbols(table: Uint8Array, strings: Uint8Array): ElfSymbol[] {
  const view = viewOf(table);
  return Array.from({ length: table.length / SYMBOL_BYTES }, (_, index) => {
    const at = index * SYMBOL_BYTES;
    const info = view.getUint8(at + 4);
    return {
      name: stringAt(strings, view.getUint32(at, true)),
      section: view.getUint16(at + 6, true),
      value: Number(view.getBigUint64(at + 8, true)),
      size: Number(view.getBigUint64(at + 16, true)),
      function: (info & 0xf) === 2,
      global: info >> 4 === 1,
    };
  });
}
