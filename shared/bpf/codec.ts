// Turns the kernel's structures into objects and back, by the layout that BTF gives. The kernel's
// __be fields are numbers in host order here: an Ipv4 is an Ipv4 on both sides.
import type { Btf, FieldType } from './btf.ts';
import { viewOf } from './bytes.ts';

/**
 * Integers are numbers (64-bit ones too: exact below 2^53), u8 arrays Uint8Arrays, other arrays and
 * structs what their parts are. Fields that are not listed stay zero and are not read.
 */
export interface StructCodec<T extends object> {
  /** Bytes. */
  readonly size: number;
  /** Into `into` at `offset`, or into new bytes. A field that the value lacks becomes zero. */
  encode(value: T, into?: Uint8Array, offset?: number): Uint8Array;
  decode(bytes: Uint8Array, offset?: number): T;
}

type Read = (view: DataView, at: number) => unknown;
// unknown: which JavaScript value a field takes is known from its type only at run time.
type Write = (view: DataView, at: number, value: unknown) => void;

interface Accessor {
  name: string;
  offset: number;
  read: Read;
  write: Write;
}

/** Throws when the object has no such struct, or the struct no such field. */
export function structCodec<T extends object>(
  types: Btf,
  name: string,
  fields?: readonly (keyof T & string)[],
): StructCodec<T> {
  const { size, fields: known } = types.struct(name);
  const missing = fields?.find((field) => !known.some((one) => one.name === field));
  if (missing !== undefined) throw new Error(`struct ${name} has no field ${missing}`);
  const wanted = known.filter((one) => fields?.some((field) => field === one.name) ?? true);
  const accessors = wanted.map((one) => accessor(one.name, one.offset, one.type));
  const { read, write } = structAccess(accessors);
  const viewFor = cachedView();
  const expectInside = (bytes: Uint8Array, offset: number): void => {
    if (offset >= 0 && offset + size <= bytes.length) return;
    throw new RangeError(`struct ${name} at ${offset} is not inside ${bytes.length} bytes`);
  };
  return {
    size,
    encode(value, into = new Uint8Array(size), offset = 0) {
      expectInside(into, offset);
      const view = viewFor(into);
      into.fill(0, offset, offset + size);
      write(view, offset, value);
      return into;
    },
    decode(bytes, offset = 0) {
      expectInside(bytes, offset);
      // as: T names fields of the struct (checked above); their values are what StructCodec says.
      return read(viewFor(bytes), offset) as T;
    },
  };
}

/** Packed arrays are walked entry by entry: one view serves them all. */
function cachedView(): (bytes: Uint8Array) => DataView {
  let last: Uint8Array | undefined;
  let view: DataView = new DataView(new ArrayBuffer(0));
  return (bytes) => {
    if (bytes !== last) {
      view = viewOf(bytes);
      last = bytes;
    }
    return view;
  };
}

function accessor(name: string, offset: number, type: FieldType): Accessor {
  return { name, offset, ...access(type) };
}

function access(type: FieldType): { read: Read; write: Write } {
  switch (type.kind) {
    case 'integer':
      return integerAccess(type.size, type.signed, type.byteOrder === 'host');
    case 'struct':
      return structAccess(type.fields.map((one) => accessor(one.name, one.offset, one.type)));
    case 'array':
      return type.element.size === 1 ? bytesAccess(type.size) : arrayAccess(type);
    case 'other':
      return {
        read: () => undefined,
        write: () => {
          throw new Error('pointers, unions and floats cannot be written');
        },
      };
  }
}

function structAccess(accessors: readonly Accessor[]): { read: Read; write: Write } {
  return {
    read(view, at) {
      const value: Record<string, unknown> = {};
      for (const one of accessors) value[one.name] = one.read(view, at + one.offset);
      return value;
    },
    write(view, at, value) {
      // as: the caller's T, whose fields these are.
      const record = value as Record<string, unknown>;
      for (const one of accessors) {
        const field = record[one.name];
        if (field !== undefined) one.write(view, at + one.offset, field);
      }
    },
  };
}

function bytesAccess(size: number): { read: Read; write: Write } {
  return {
    read: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, size).slice(),
    write(view, at, value) {
      // as: u8 arrays are Uint8Arrays; set() throws when it is too long.
      new Uint8Array(view.buffer, view.byteOffset + at, size).set(value as Uint8Array);
    },
  };
}

function arrayAccess(type: { element: FieldType; length: number }): { read: Read; write: Write } {
  const { read, write } = access(type.element);
  const { size } = type.element;
  return {
    read: (view, at) => Array.from({ length: type.length }, (_, i) => read(view, at + i * size)),
    write(view, at, value) {
      // as: arrays are arrays.
      const values = value as readonly unknown[];
      if (values.length > type.length) throw new RangeError(`more than ${type.length} elements`);
      values.forEach((one, index) => {
        write(view, at + index * size, one);
      });
    },
  };
}

// as number, all below: integers are numbers; DataView takes the value modulo the field's size.
function integerAccess(
  size: number,
  signed: boolean,
  little: boolean,
): { read: Read; write: Write } {
  switch (size) {
    case 1:
      return {
        read: (view, at) => (signed ? view.getInt8(at) : view.getUint8(at)),
        write: (view, at, value) => view.setUint8(at, value as number),
      };
    case 2:
      return {
        read: (view, at) => (signed ? view.getInt16(at, little) : view.getUint16(at, little)),
        write: (view, at, value) => view.setUint16(at, value as number, little),
      };
    case 4:
      return {
        read: (view, at) => (signed ? view.getInt32(at, little) : view.getUint32(at, little)),
        write: (view, at, value) => view.setUint32(at, value as number, little),
      };
    case 8:
      return {
        read(view, at) {
          const high = at + (little ? 4 : 0);
          const upper = signed ? view.getInt32(high, little) : view.getUint32(high, little);
          return upper * 2 ** 32 + view.getUint32(at + (little ? 0 : 4), little);
        },
        write(view, at, value) {
          const high = Math.floor((value as number) / 2 ** 32);
          view.setUint32(at + (little ? 4 : 0), high, little);
          view.setUint32(at + (little ? 0 : 4), (value as number) - high * 2 ** 32, little);
        },
      };
    default:
      throw new Error(`an integer of ${size} bytes`);
  }
}
