// What everybody who knows DNS says of names, types and data: edgectl, probes and dns. Pure.

/**
 * A domain name in wire form (RFC 1035 §3.1): length-prefixed labels and the root's zero byte,
 * never compressed, at most 255 bytes. Letters as somebody wrote them; `lowerName` (names.ts) makes
 * the form by which names are compared.
 */
export type Name = Uint8Array;

/** An address as it travels: 4 or 16 bytes, network order. */
export type AddressBytes = Uint8Array;

/** One word of a zone file's record data. `quoted`: stood in quotation marks. */
export type Token = { text: string; quoted: boolean };

/**
 * A resource record type as a row (table in rdata.ts): one way from text to wire and back for zone
 * files, site objects, edgectl and tests.
 */
export type RecordType = {
  code: number;
  mnemonic: string;
  /** The document that defines its data. */
  rfc: string;
  /**
   * Wire data (uncompressed) from the words after the type in a zone file. `origin` completes
   * relative names. Throws RdataError; also takes RFC 3597's `\# length hex`.
   */
  parse(tokens: readonly Token[], origin: Name): Uint8Array;
  /** The words of a zone file; names absolute. Throws RdataError for what is none of its data. */
  format(rdata: Uint8Array): string;
  /**
   * The names inside of the data, as [offset, mayBeCompressed]: in answers only those types whose
   * names RFC 1035 lets compress (RFC 3597 §4) say true. Throws RdataError when cut off.
   */
  names(rdata: Uint8Array): readonly (readonly [offset: number, mayBeCompressed: boolean])[];
};

/** Of a message that is not on the hot path: transfers, tools, tests. */
export type Question = { name: Name; type: number; class: number };
export type MessageRecord = {
  owner: Name;
  type: number;
  class: number;
  ttlSeconds: number;
  /** Names in it uncompressed. */
  rdata: Uint8Array;
};
export type Message = {
  id: number;
  /** The header's second 16 bits (RFC 1035 §4.1.1): QR, opcode, AA, TC, RD, RA, AD, CD, rcode. */
  flags: number;
  questions: Question[];
  answers: MessageRecord[];
  authorities: MessageRecord[];
  additionals: MessageRecord[];
};
