// Reads the last good snapshot: once to prove that it is whole and to gather the changes behind the
// trailer, and once more to hand out the objects with those changes made. Never holds more than the
// changes and one block of lines.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { OperationalError } from '../errors.ts';
import { fieldOf, lastOfEach } from './changes.ts';
import { addDigest, objectDigest } from './digest.ts';
import type { Position, SnapshotChanges, SnapshotHeader, SnapshotTrailer } from './snapshot.ts';
import { changesSum, SNAPSHOT_FORMAT, trailerSum } from './snapshot.ts';
import type { Change, ObjectRecord } from './types.ts';

const BLOCK_BYTES = 1 << 20;
/** Far above what 100,000 changes take. */
const MAX_LINE_CHARACTERS = 1 << 26;
const FIRST_PEEK_BYTES = 1 << 16;
const MAX_PEEK_BYTES = 1 << 25;

export type Snapshot = {
  position: Position;
  /** A change at the end had been cut off, as by a crash while it was written. */
  cutOff: boolean;
  objects(): AsyncGenerator<ObjectRecord[]>;
};

/** Undefined when there is no file; EDGE_SNAPSHOT_DAMAGED, with the line, when it is not whole. */
export async function readSnapshot(path: string, unit: string): Promise<Snapshot | undefined> {
  try {
    await stat(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new OperationalError('EDGE_SNAPSHOT_DAMAGED', `cannot read ${path}`, { cause: error });
  }
  const proof = new Proof(path, unit);
  for await (const lines of linesOf(path)) for (const line of lines) proof.take(line);
  const position = proof.end();
  const changes = lastOfEach(proof.changes);
  return { position, cutOff: proof.cutOff, objects: () => changedObjects(path, changes) };
}

/**
 * Where the file says that its state stands, from its end alone and not proven. Undefined when
 * there is no file, or nothing like that at its end.
 */
export async function peekPosition(path: string): Promise<Position | undefined> {
  try {
    const { size } = await stat(path);
    for (let bytes = Math.min(size, FIRST_PEEK_BYTES); ; bytes = Math.min(size, bytes * 16)) {
      const end = await text(createReadStream(path, { start: size - bytes }));
      // The first line is whole only when the file was read from its start.
      const lines = end.split('\n').slice(bytes === size ? 0 : 1);
      const last = lines.reverse().map(parse).find(isPosition);
      if (last !== undefined) return positionOf(last);
      if (bytes === size || bytes > MAX_PEEK_BYTES) return undefined;
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined; // readSnapshot() tells why
    throw error;
  }
}

function isPosition(value: unknown): value is Position {
  const { version, count } = Object(value) as Partial<Position>; // checked right here
  return typeof version === 'number' && typeof count === 'number';
}

/** What the first pass knows, line by line. */
class Proof {
  readonly changes: Change[] = [];
  cutOff = false;
  readonly #path: string;
  readonly #unit: string;
  #line = 0;
  #count = 0;
  #sum = 0;
  #position: Position | undefined;

  constructor(path: string, unit: string) {
    this.#path = path;
    this.#unit = unit;
  }

  take(line: string): void {
    this.#line++;
    if (this.cutOff) throw this.damaged('a broken line in the middle');
    if (this.#line === 1) this.#header(parse(line));
    else if (this.#position !== undefined) this.#takeChanges(parse(line));
    else if (line.startsWith('[')) this.#object(parse(line));
    else this.#trailer(parse(line));
  }

  end(): Position {
    if (this.#position === undefined) throw this.damaged('it ends before its trailer: truncated');
    return this.#position;
  }

  damaged(what: string): OperationalError {
    const place = `${this.#path}:${this.#line}`;
    return new OperationalError('EDGE_SNAPSHOT_DAMAGED', `damaged snapshot: ${place}: ${what}`);
  }

  #header(value: unknown): void {
    const header = value as SnapshotHeader | undefined; // checked by the next lines
    if (header?.edgeSnapshot !== SNAPSHOT_FORMAT)
      throw this.damaged('not a snapshot of this format');
    if (header.unit !== this.#unit) throw this.damaged(`of unit ${header.unit}, not ${this.#unit}`);
  }

  #object(value: unknown): void {
    const object = recordOf(value);
    if (object === undefined) throw this.damaged('not an object');
    this.#count++;
    const share = objectDigest(object.kind, object.id, object.value);
    this.#sum = addDigest(this.#sum, share);
  }

  #trailer(value: unknown): void {
    const trailer = value as SnapshotTrailer | undefined; // checked by the next lines
    if (trailer?.sum === undefined) throw this.damaged('neither an object nor the trailer');
    if (trailer.lines !== this.#count || trailer.sum !== trailerSum(this.#sum, trailer)) {
      throw this.damaged(`${this.#count} objects that do not add up to the trailer`);
    }
    this.#position = positionOf(trailer);
  }

  #takeChanges(value: unknown): void {
    const line = value as SnapshotChanges | undefined; // proven by its sum
    if (!Array.isArray(line?.changes) || changesSum(line) !== line.sum) {
      this.cutOff = true; // allowed once, at the very end
      return;
    }
    for (const [kind, id, to] of line.changes) this.changes.push({ kind, id, value: to });
    this.#position = positionOf(line);
  }
}

function positionOf({ version, digest, tail, count }: Position): Position {
  return { version, digest, tail, count };
}

async function* changedObjects(
  path: string,
  changes: Map<string, Change>,
): AsyncGenerator<ObjectRecord[]> {
  for await (const lines of linesOf(path)) {
    const batch: ObjectRecord[] = [];
    for (const line of lines) {
      if (!line.startsWith('[')) continue;
      const object = recordOf(parse(line));
      if (object === undefined) throw new OperationalError('EDGE_SNAPSHOT_DAMAGED', 'it changed');
      if (!changes.has(fieldOf(object.kind, object.id))) batch.push(object);
    }
    if (batch.length > 0) yield batch;
  }
  const put: ObjectRecord[] = [];
  for (const { kind, id, value } of changes.values()) {
    if (value !== null) put.push({ kind, id, value });
  }
  if (put.length > 0) yield put;
}

function recordOf(value: unknown): ObjectRecord | undefined {
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [kind, id, text]: unknown[] = value;
  if (typeof kind !== 'string' || typeof id !== 'string' || typeof text !== 'string') return;
  return { kind, id, value: text };
}

/** Undefined when it is not JSON: every caller then says which line is broken. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Blocks of lines; the last line also when its newline is missing. */
async function* linesOf(path: string): AsyncGenerator<string[]> {
  let rest = '';
  try {
    const options = { encoding: 'utf8', highWaterMark: BLOCK_BYTES } as const;
    for await (const block of createReadStream(path, options)) {
      const lines = (rest + String(block)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE_CHARACTERS) throw new Error('a line without end');
      yield lines;
    }
  } catch (cause) {
    throw new OperationalError('EDGE_SNAPSHOT_DAMAGED', `cannot read ${path}`, { cause });
  }
  if (rest !== '') yield [rest];
}
