// Lists and the operator's own prefixes → the tree that is looked up, and what is to be said of
// them. Heavy, and made to run in a thread: plain data in and out. Pure.
import { TreeBuilder } from './build.ts';
import { type Family, ListBuilder, wordsOfPrefix } from './columns.ts';
import { reportOf } from './hygiene.ts';
import { type Side, sideOf } from './side.ts';
import { ROOT_ENTRIES, stridesOf } from './strides.ts';
import type { LineList, LineReport, LineSettings, LineTree } from './types.ts';

export type Compiled = { tree: LineTree; report: LineReport };

/** One family of both sides, and what the builder found. */
export type CompiledFamily = { files: Side; operator: Side; idle: readonly number[] };

/**
 * `lines`: names by number (`nameLines`), with every line that a list or the settings name; others
 * count as `default`. Of files the most specific prefix wins, of equal ones the first list's; the
 * operator's prefixes win over all of them, among themselves the most specific.
 */
export function compileLines(
  lists: readonly LineList[],
  settings: readonly LineSettings[],
  lines: readonly string[],
): Compiled {
  const numbers = new Map(lines.map((line, number) => [line, number]));
  const own = operatorList(settings);
  const family = (which: Family) => {
    const files = sideOf(which, lists, numbers);
    const operator = sideOf(which, [own], numbers);
    const builder = new TreeBuilder(which, files.entries, operator.entries);
    const tree = builder.build();
    return { tree, sides: { files, operator, idle: builder.idleOverrides } };
  };
  const [v4, v6] = [family(4), family(6)];
  const entries = stridesOf(v4.tree, v6.tree);
  const tree = { entries, rootV4: 0, rootV6: ROOT_ENTRIES, lines };
  return { tree, report: reportOf(tree, [...lists, own], [v4.sides, v6.sides]) };
}

/** The settings' prefixes as a list without a file. */
function operatorList(settings: readonly LineSettings[]): LineList {
  const list = new ListBuilder('');
  const words = new Uint32Array(4);
  for (const { name, prefixes } of settings) {
    const line = list.numberOf(name);
    if (line === undefined) continue; // more lines than nameLines lets through
    for (const prefix of prefixes) {
      wordsOfPrefix(prefix, words);
      list.add(prefix.family, words, prefix.bits, line, 0);
    }
  }
  return list.finish();
}
