// What a compiled object says of itself, read without the kernel: types, maps, programs and the
// constants in .rodata. The kernel's loader takes types and constants from here, the fake all.
import { readFileSync } from 'node:fs';
import { type BtfMember, BtfTable } from './btf.ts';
import { type ElfFile, readElf } from './elf.ts';
import { BpfError } from './failure.ts';
import { isPerCpu, mapTypeName } from './map-rules.ts';
import type { LoadOptions, MapShape, ProgramKind } from './types.ts';

export interface Constant {
  name: string;
  /** Bytes from the start of .rodata. */
  offset: number;
  size: number;
}

export interface ObjectFile {
  types: BtfTable;
  maps: MapShape[];
  /** What a map of maps has in it, by its name. */
  inner: ReadonlyMap<string, MapShape>;
  programs: { name: string; kind: ProgramKind }[];
  constants: Constant[];
  /** The initial bytes of .rodata. */
  rodata: Uint8Array;
}

/** EDGE_BPF_OBJECT when it is absent or no object of ours. */
export function readObjectFile(path: string): ObjectFile {
  try {
    return parseObject(readElf(readFileSync(path)));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const remedy = 'build the objects: npm run build';
    throw new BpfError('EDGE_BPF_OBJECT', `${path}: ${why}`, { cause, remedy });
  }
}

function parseObject(elf: ElfFile): ObjectFile {
  const btf = elf.sections.find((section) => section.name === '.BTF');
  if (!btf) throw new Error('no .BTF section (compile with -g)');
  const types = new BtfTable(btf.bytes);
  const variables = types.variables('.maps');
  return {
    types,
    maps: variables.map(({ name, type }) => readMap(types, name, type)),
    inner: new Map(
      variables.flatMap(({ name, type }) => {
        const inner = innerOf(types, type);
        return inner === undefined ? [] : [[name, readMap(types, innerName(name), inner)]];
      }),
    ),
    programs: readPrograms(elf),
    constants: readConstants(elf, types),
    rodata: elf.sections.find((section) => section.name === '.rodata')?.bytes ?? new Uint8Array(0),
  };
}

/** A descriptor when it is written, a number when it is read. */
const INNER_BYTES = 4;

/** __uint(name, n) is a pointer to an array of n; __type(name, T) is a pointer to T. */
function readMap(types: BtfTable, name: string, id: number): MapShape {
  const members = types.membersOf(types.resolve(id));
  const typeOf = (member: BtfMember | undefined) => member && types.pointee(member.type);
  const find = (wanted: string) => members.find((member) => member.name === wanted);
  const number = (wanted: string): number => {
    const target = typeOf(find(wanted));
    return target === undefined ? 0 : types.arrayOf(types.resolve(target)).length;
  };
  const size = (typed: string, sized: string): number => {
    const target = typeOf(find(typed));
    return target === undefined ? number(sized) : types.sizeOf(target);
  };
  const type = mapTypeName(number('type'));
  const valueSize = innerOf(types, id) === undefined ? size('value', 'value_size') : INNER_BYTES;
  return {
    name,
    type,
    keySize: size('key', 'key_size'),
    valueSize: isPerCpu(type) ? Math.ceil(valueSize / 8) * 8 : valueSize,
    maxEntries: number('max_entries'),
    flags: number('map_flags'),
  };
}

/** __array(values, T) is an array of pointers to T. */
function innerOf(types: BtfTable, id: number): number | undefined {
  const members = types.membersOf(types.resolve(id));
  const values = members.find((member) => member.name === 'values');
  if (values === undefined) return undefined;
  return types.pointee(types.arrayOf(types.resolve(values.type)).element);
}

/** The kernel takes 15 letters. */
const innerName = (outer: string): string => `${outer.slice(0, 9)}_inner`;

export function programKind(section: string): ProgramKind {
  if (/^(tc|tcx|classifier)(\/|$)/.test(section)) return 'tc';
  return /^xdp(\.frags)?(\/|$)/.test(section) ? 'xdp' : 'other';
}

function readPrograms(elf: ElfFile): ObjectFile['programs'] {
  return elf.symbols
    .filter((symbol) => symbol.function && symbol.global)
    .map(({ name, section }) => ({ name, section: elf.sections[section]?.name ?? '.text' }))
    .filter(({ section }) => section !== '.text')
    .map(({ name, section }) => ({ name, kind: programKind(section) }));
}

function readConstants(elf: ElfFile, types: BtfTable): Constant[] {
  const rodata = elf.sections.findIndex((section) => section.name === '.rodata');
  return types.variables('.rodata').flatMap(({ name, type }) => {
    const symbol = elf.symbols.find((one) => one.section === rodata && one.name === name);
    return symbol ? [{ name, offset: symbol.value, size: types.sizeOf(type) }] : [];
  });
}

/** A copy of .rodata with the constants set. EDGE_BPF_OBJECT for a name the object lacks. */
export function setConstants(
  rodata: Uint8Array,
  known: readonly Constant[],
  values: Readonly<Record<string, number | bigint>>,
): Uint8Array {
  const bytes = Uint8Array.from(rodata);
  for (const [name, value] of Object.entries(values)) {
    const constant = known.find((one) => one.name === name);
    if (!constant) {
      const names = known.map((one) => one.name).join(', ') || 'none';
      throw new BpfError('EDGE_BPF_OBJECT', `no constant ${name} in the object; it has: ${names}`);
    }
    let rest = BigInt.asUintN(constant.size * 8, BigInt(value));
    for (let index = 0; index < constant.size; index++) {
      bytes[constant.offset + index] = Number(rest & 0xffn);
      rest >>= 8n;
    }
  }
  return bytes;
}

/** EDGE_BPF_OBJECT for options that name maps which the object lacks. */
export function checkNames(options: LoadOptions, file: ObjectFile): void {
  const known = new Set(file.maps.map((map) => map.name));
  const asked = [...(options.pinned ?? []), ...Object.keys(options.maxEntries ?? {})];
  const unknown = asked.find((name) => !known.has(name));
  if (unknown === undefined) return;
  throw new BpfError('EDGE_BPF_OBJECT', `${options.objectPath}: no map ${unknown}`);
}

/** EDGE_BPF_OBJECT for what is no map of maps. */
export function innerShape(file: ObjectFile, outer: string): MapShape {
  const inner = file.inner.get(outer);
  if (inner !== undefined) return inner;
  throw new BpfError('EDGE_BPF_OBJECT', `map ${outer} has no maps in it`);
}
