// What is shown, before it is HTML or JSON: sections of tables and plots. A row's values are what
// its JSON has; how they are written follows the column. Pure.

export type Level = 'ok' | 'warn' | 'bad';

/**
 * How a value is written. `bar`, and `fill`, which should not be full: a part of 1. `level`: a word
 * that says how well it is.
 */
export type Kind =
  | 'text'
  | 'level'
  | 'count'
  | 'rate'
  | 'bits'
  | 'bytes'
  | 'seconds'
  | 'milliseconds'
  | 'bar'
  | 'fill'
  | 'age'
  | 'time';

export type Column = { key: string; title: string; kind: Kind };
export type Value = string | number | null;

export type Row = {
  level: Level;
  values: Readonly<Record<string, Value>>;
};

export type Table = {
  /** Of its JSON and its place in the page. */
  id: string;
  title: string;
  columns: readonly Column[];
  /** Worst first. */
  rows: readonly Row[];
  /** How many there are, when not all of them are here. */
  total: number;
  /** What it means that there are none. */
  empty: string;
  note?: string;
};

/** Something that is wrong now. */
export type Problem = { level: 'warn' | 'bad'; section: string; what: string; why: string };

export type Section = {
  id: string;
  title: string;
  tables: readonly Table[];
  problems: readonly Problem[];
};

/** A figure of the front. */
export type Tile = { section: string; title: string; value: Value; kind: Kind; note: string };

const RANK: Readonly<Record<Level, number>> = { bad: 0, warn: 1, ok: 2 };

export function worse(a: Level, b: Level): Level {
  return RANK[a] <= RANK[b] ? a : b;
}

/** Worst first, those of one level as `then` says, at most `most`. */
export function worstFirst(
  rows: readonly Row[],
  then: (a: Row, b: Row) => number = () => 0,
  most = 500,
): Row[] {
  return rows.toSorted((a, b) => RANK[a.level] - RANK[b.level] || then(a, b)).slice(0, most);
}

/** The larger value of a column first. */
export function byNumber(key: string): (a: Row, b: Row) => number {
  return (a, b) => Number(b.values[key] ?? -1) - Number(a.values[key] ?? -1);
}

export function column(key: string, title: string, kind: Kind = 'text'): Column {
  return { key, title, kind };
}

/** Of lines in words: the rows that are not well. */
export function problemsOf(
  section: string,
  rows: readonly Row[],
  tell: (row: Row) => { what: string; why: string },
): Problem[] {
  return rows.flatMap((row) =>
    row.level === 'ok' ? [] : [{ level: row.level, section, ...tell(row) }],
  );
}

/** By the code points, whatever the language. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
