// Reads a list of prefixes (FILE) and compiles it, in a process of its own; writes what each took.
import { compileLines } from '../../../dns/lines/compile.ts';
import { nameLines } from '../../../dns/lines/fallback.ts';
import { loadList } from '../../../dns/lines/load-list.ts';

const [file = ''] = process.argv.slice(2);
const startMs = performance.now();
const parsed = await loadList({ file, format: 'cidr' });
if ('problems' in parsed) throw new Error(parsed.problems[0]?.message);
const parsedMs = performance.now();
const named = nameLines([], parsed.list.lines);
if ('problems' in named) throw new Error(named.problems[0]?.message);
compileLines([parsed.list], [], named.lines);
const endMs = performance.now();
console.log(JSON.stringify({ parseMs: parsedMs - startMs, compileMs: endMs - parsedMs }));
