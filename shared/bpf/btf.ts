// Reads BTF, the type information of a BPF object (kernel: Documentation/bpf/btf.rst): layouts of
// structures, values of enums, variables of data sections.
import { stringAt, viewOf } from './bytes.ts';

export interface BtfField {
  name: string;
  /** Bytes from the start of the structure. */
  offset: number;
  size: number;
  type: FieldType;
}

/** `integer`: byteOrder is 'network' for the kernel's __be types, else 'host'. */
export type FieldType =
  | { kind: 'integer'; size: number; signed: boolean; byteOrder: 'host' | 'network' }
  | { kind: 'array'; size: number; element: FieldType; length: number }
  | { kind: 'struct'; size: number; name: string; fields: BtfField[] }
  | { kind: 'other'; size: number };

export interface BtfStruct {
  size: number;
  fields: BtfField[];
}

export interface Btf {
  /** Of a struct or union. Throws when the object does not have it, or it has bit fields. */
  struct(name: string): BtfStruct;
  /** Throws when the object does not have it: a type that no code or map uses is left out. */
  enum(name: string): Record<string, number>;
  /** Names of the structs that the object has. */
  readonly structNames: readonly string[];
}

const Kind = {
  INT: 1,
  PTR: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FWD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNC: 12,
  FUNC_PROTO: 13,
  VAR: 14,
  DATASEC: 15,
  FLOAT: 16,
  DECL_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const;

/** Bytes that follow the common part of a type: fixed, and for each of its members. */
const TRAILER: Record<number, { fixed: number; each: number }> = {
  [Kind.INT]: { fixed: 4, each: 0 },
  [Kind.ARRAY]: { fixed: 12, each: 0 },
  [Kind.STRUCT]: { fixed: 0, each: 12 },
  [Kind.UNION]: { fixed: 0, each: 12 },
  [Kind.ENUM]: { fixed: 0, each: 8 },
  [Kind.FUNC_PROTO]: { fixed: 0, each: 8 },
  [Kind.VAR]: { fixed: 4, each: 0 },
  [Kind.DATASEC]: { fixed: 0, each: 12 },
  [Kind.DECL_TAG]: { fixed: 4, each: 0 },
  [Kind.ENUM64]: { fixed: 0, each: 12 },
};

const HEADER_MAGIC = 0xeb9f;
const INT_SIGNED = 1 << 24;
const POINTER_BYTES = 8;

export interface BtfType {
  kind: number;
  name: string;
  /** Size in bytes, or the id of the type that it refers to. */
  sizeOrType: number;
  flag: boolean;
  members: number;
  /** Where its trailer starts. */
  at: number;
}

export interface BtfMember {
  name: string;
  type: number;
  bitOffset: number;
}

/** The type table itself. Type ids start at 1; 0 is void. */
export class BtfTable implements Btf {
  readonly #view: DataView;
  readonly #strings: Uint8Array;
  readonly #types: (BtfType | undefined)[] = [undefined];

  /** `section`: the bytes of .BTF. Throws on what is no BTF. */
  constructor(section: Uint8Array) {
    this.#view = viewOf(section);
    if (this.#view.getUint16(0, true) !== HEADER_MAGIC) throw new Error('.BTF has no BTF in it');
    const base = this.#view.getUint32(4, true);
    const typesAt = base + this.#view.getUint32(8, true);
    const typesEnd = typesAt + this.#view.getUint32(12, true);
    const strings = section.subarray(base + this.#view.getUint32(16, true));
    for (let at = typesAt; at < typesEnd; ) {
      const info = this.#view.getUint32(at + 4, true);
      const kind = (info >>> 24) & 0x1f;
      const members = info & 0xffff;
      if (kind === 0 || kind > Kind.ENUM64) throw new Error(`.BTF has a type of kind ${kind}`);
      this.#types.push({
        kind,
        name: stringAt(strings, this.#view.getUint32(at, true)),
        sizeOrType: this.#view.getUint32(at + 8, true),
        flag: info >>> 31 === 1,
        members,
        at: at + 12,
      });
      const { fixed, each } = TRAILER[kind] ?? { fixed: 0, each: 0 };
      at += 12 + fixed + each * members;
    }
    this.#strings = strings;
  }

  get structNames(): readonly string[] {
    const named = this.#types.filter((type) => type?.kind === Kind.STRUCT && type.name !== '');
    return named.map((type) => type?.name ?? '');
  }

  struct(name: string): BtfStruct {
    const type = this.#find(name, [Kind.STRUCT, Kind.UNION]);
    return { size: type.sizeOrType, fields: this.#fields(type) };
  }

  enum(name: string): Record<string, number> {
    const type = this.#find(name, [Kind.ENUM, Kind.ENUM64]);
    const wide = type.kind === Kind.ENUM64;
    const values: Record<string, number> = {};
    for (let index = 0; index < type.members; index++) {
      const at = type.at + index * (wide ? 12 : 8);
      const low = this.#view.getUint32(at + 4, true);
      const high = wide ? this.#view.getUint32(at + 8, true) : 0;
      // Older compilers do not say whether it is signed; as C has it, an enumerator is an int.
      values[this.#name(at)] = wide ? high * 2 ** 32 + low : low | 0;
    }
    return values;
  }

  /** A data section's variables, with their types; offsets are the linker's affair (symbols). */
  variables(section: string): { name: string; type: number }[] {
    const found = this.#types.find((type) => type?.kind === Kind.DATASEC && type.name === section);
    if (!found) return [];
    return Array.from({ length: found.members }, (_, index) => {
      const variable = this.type(this.#view.getUint32(found.at + index * 12, true));
      return { name: variable.name, type: variable.sizeOrType };
    });
  }

  /** Follows typedefs and qualifiers. */
  resolve(id: number): BtfType {
    let type = this.type(id);
    const transparent: number[] = [
      Kind.TYPEDEF,
      Kind.VOLATILE,
      Kind.CONST,
      Kind.RESTRICT,
      Kind.TYPE_TAG,
    ];
    while (transparent.includes(type.kind)) type = this.type(type.sizeOrType);
    return type;
  }

  type(id: number): BtfType {
    const type = this.#types[id];
    if (!type) throw new Error(`.BTF has no type ${id}`);
    return type;
  }

  membersOf(type: BtfType): BtfMember[] {
    return Array.from({ length: type.members }, (_, index) => {
      const at = type.at + index * 12;
      const bitOffset = this.#view.getUint32(at + 8, true);
      return { name: this.#name(at), type: this.#view.getUint32(at + 4, true), bitOffset };
    });
  }

  /** The element type and length of an array type. */
  arrayOf(type: BtfType): { element: number; length: number } {
    const element = this.#view.getUint32(type.at, true);
    return { element, length: this.#view.getUint32(type.at + 8, true) };
  }

  /** What a pointer type points to. */
  pointee(id: number): number | undefined {
    const type = this.resolve(id);
    return type.kind === Kind.PTR ? type.sizeOrType : undefined;
  }

  sizeOf(id: number): number {
    return this.fieldType(id).size;
  }

  fieldType(id: number): FieldType {
    const type = this.resolve(id);
    switch (type.kind) {
      case Kind.INT: {
        const signed = (this.#view.getUint32(type.at, true) & INT_SIGNED) !== 0;
        return { kind: 'integer', size: type.sizeOrType, signed, byteOrder: this.#byteOrder(id) };
      }
      case Kind.ENUM:
      case Kind.ENUM64:
        return {
          kind: 'integer',
          size: type.sizeOrType,
          signed: type.kind === Kind.ENUM,
          byteOrder: 'host',
        };
      case Kind.ARRAY: {
        const { element, length } = this.arrayOf(type);
        const inner = this.fieldType(element);
        return { kind: 'array', size: inner.size * length, element: inner, length };
      }
      case Kind.STRUCT: {
        const { name, sizeOrType: size } = type;
        return { kind: 'struct', size, name, fields: this.#fields(type) };
      }
      case Kind.PTR:
        return { kind: 'other', size: POINTER_BYTES };
      default:
        return { kind: 'other', size: type.sizeOrType };
    }
  }

  #fields(type: BtfType): BtfField[] {
    return this.membersOf(type).map((member) => {
      const bits = type.flag ? member.bitOffset >>> 24 : 0;
      const bitOffset = type.flag ? member.bitOffset & 0xffffff : member.bitOffset;
      if (bits !== 0) throw new Error(`struct ${type.name}: bit field ${member.name}`);
      const field = this.fieldType(member.type);
      return { name: member.name, offset: bitOffset / 8, size: field.size, type: field };
    });
  }

  /** The kernel writes byte order into the names of its typedefs. */
  #byteOrder(id: number): 'host' | 'network' {
    for (let type = this.type(id); type.kind !== Kind.INT; type = this.type(type.sizeOrType)) {
      if (type.kind === Kind.TYPEDEF && /^__be(16|32|64)$/.test(type.name)) return 'network';
    }
    return 'host';
  }

  #find(name: string, kinds: readonly number[]): BtfType {
    const found = this.#types.find((type) => type?.name === name && kinds.includes(type.kind));
    if (!found) throw new Error(`.BTF has no ${name}: does a map or a function use it?`);
    return found;
  }

  #name(at: number): string {
    return stringAt(this.#strings, this.#view.getUint32(at, true));
  }
}
