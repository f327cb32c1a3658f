// A row of the option table, and who may say an option. Pure.
import type { Codec } from './codec.ts';

export type OptionRow = {
  code: number;
  /** As an operator writes it. */
  name: string;
  /** Other names that are taken for it: the IANA's where it differs, and widely used ones. */
  aliases: readonly string[];
  codec: Codec;
  /** The document that defines it; 'private use' for what is defined by custom alone. */
  rfc: string;
};

export const row = (
  code: number,
  name: string,
  codec: Codec,
  rfc: number | 'private use',
  ...aliases: string[]
): OptionRow => ({
  code,
  name,
  codec,
  rfc: typeof rfc === 'number' ? `RFC ${rfc}` : rfc,
  aliases,
});
