// Record data of a zone file by the table of types, and what is thrown for a wrong entry. Pure.
import { quote, RdataError } from '../fields.ts';
import { typeOf } from '../rdata.ts';
import type { Name, Token } from '../types.ts';

export type Spot = { line: number; column: number };
/** A word and where it stands. */
export type PlacedToken = Token & Spot;

/** What is wrong with an entry, which is then skipped. */
export class Mistake extends Error {
  override readonly name = 'Mistake';
  /** Without one it is the entry's. */
  readonly at: Spot | undefined;

  constructor(message: string, at?: Spot) {
    super(message);
    this.at = at;
  }
}

/** Throws Mistake, at the word that its message speaks of if there is one. */
export function rdataOf(
  type: number,
  tokens: readonly PlacedToken[],
  origin: Name,
  otherwise: Spot,
): Uint8Array {
  const row = typeOf(type);
  try {
    return row.parse(tokens, origin);
  } catch (error) {
    if (!(error instanceof RdataError)) throw error;
    const { message } = error;
    const guilty = tokens.find(({ text }) => message.includes(quote(text))) ?? tokens[0];
    const { line, column } = guilty ?? otherwise;
    throw new Mistake(`${row.mnemonic}: ${message}`, { line, column });
  }
}
