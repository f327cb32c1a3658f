// YAML 1.2 text as a plain value, with the place of every key and value in it. What YAML allows and
// a configuration has no use for (several documents, unknown tags, maps as keys, anchors that hold
// themselves) is refused. Aliases and `<<` merges work, within a bound.
import {
  Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  stringify,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import { readFlowLines } from './flow-lines.ts';
import { readJson } from './json.ts';

export type Path = readonly (string | number)[];
/** Offsets into the text: of a value, and of the key that names it. */
export type Place = { key?: number; value: number };
/** What a quick reader of some form of YAML gives: as the parser would, without its document. */
export type Quick = { value: unknown; find(path: Path): Place | undefined };

const maxAliases = 1000;

export class YamlSource {
  readonly value: unknown;
  readonly #file: string;
  readonly #text: string;
  #lineStarts: number[] | undefined;
  readonly #document: Document;
  readonly #quick: Quick | undefined;

  /** Throws a ConfigError with everything that is wrong with the text as YAML. */
  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
    this.#quick = readJson(text) ?? readFlowLines(text);
    this.#document = this.#quick === undefined ? this.#parse() : new Document();
    if (this.#quick !== undefined) {
      this.value = this.#quick.value;
      return;
    }
    const flaws = [...this.#document.errors, ...this.#document.warnings];
    const problems = flaws.map((flaw) => this.#syntaxProblem(flaw));
    if (problems.length === 0) problems.push(...this.#refused());
    if (problems.length > 0) throw new ConfigError(problems);
    this.value = this.#toValue();
  }

  /**
   * A problem at the value that the path leads to, or at the nearest thing around it that is there.
   */
  problem(path: Path, message: string, remedy?: string): ConfigProblem {
    return this.#at(this.#place(path)?.value ?? this.#around(path), message, remedy);
  }

  /** The same at the key that names it. */
  keyProblem(path: Path, message: string, remedy?: string): ConfigProblem {
    const { key, value } = this.#place(path) ?? {};
    return this.#at(key ?? value ?? this.#around(path), message, remedy);
  }

  #place(path: Path): Place | undefined {
    if (this.#quick !== undefined) return this.#quick.find(path);
    const { key, value } = this.#find(path) ?? {};
    const [from, at] = [key?.range?.[0], value?.range?.[0]];
    if (at === undefined) return undefined;
    return from === undefined ? { value: at } : { key: from, value: at };
  }

  #parse(): Document {
    return parseDocument(this.#text, {
      prettyErrors: false,
      merge: true,
      logLevel: 'error',
    });
  }

  #toValue(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: maxAliases });
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      throw new ConfigError([this.#at(0, 'uses too many aliases', 'write the values out')]);
    }
  }

  #syntaxProblem({ code, message, pos }: YAMLError): ConfigProblem {
    const after = this.#text.slice(pos[0], pos[0] + 200);
    if (code === 'DUPLICATE_KEY') {
      const key = /^("[^"\n]*"|'[^'\n]*'|[^\s:]+)/.exec(after)?.[0] ?? 'key';
      return this.#at(pos[0], `duplicate key "${key.replace(/^["']|["']$/g, '')}"`);
    }
    if (code === 'MULTIPLE_DOCS') {
      return this.#at(pos[0], 'a second document begins', 'write one document a file');
    }
    // The parser recurses and turns the end of its stack into an error of the document.
    if (message.includes('call stack')) return this.#at(pos[0], 'is nested too deeply');
    return this.#at(pos[0], message.charAt(0).toLowerCase() + message.slice(1));
  }

  /** What is YAML, but not for us. */
  #refused(): ConfigProblem[] {
    const problems: ConfigProblem[] = [];
    const report = (node: Node, message: string) =>
      problems.push(this.#at(node.range?.[0] ?? 0, message));
    visit(this.#document, {
      Alias: (_, alias, ancestors) => {
        const target = alias.resolve(this.#document);
        if (target === undefined) report(alias, `no anchor "${alias.source}" stands before this`);
        else if (ancestors.includes(target)) report(alias, `anchor "${alias.source}" holds itself`);
      },
      Pair: (_, { key }) => {
        const plain = isScalar(key) && key.value !== null;
        // What was parsed is always a node.
        if (!plain && !isAlias(key)) report(key as Node, 'a key must be a word');
      },
    });
    return problems;
  }

  #find(path: Path): { key?: Node; value: Node } | undefined {
    let found: { key?: Node; value: Node } | undefined = { value: this.#document.contents as Node };
    for (const step of path) {
      const node = this.#resolve(found?.value);
      if (isMap(node)) found = this.#entry(node, String(step));
      else if (isSeq(node)) found = element(node.items[Number(step)]);
      else return undefined;
      if (found === undefined) return undefined;
    }
    return found.value === null ? undefined : found; // an empty document has no contents
  }

  /** A key of the map itself, or of one that it merges. */
  #entry(map: YAMLMap, name: string, depth = 0): { key: Node; value: Node } | undefined {
    const named = (text: string) =>
      // A parsed document holds nodes only.
      map.items.find(({ key }) => isScalar(key) && String(key.value) === text) as
        | Pair<Node, Node | null>
        | undefined;
    const own = named(name);
    if (own !== undefined) return { key: own.key, value: own.value ?? own.key };
    const merged = this.#resolve(named('<<')?.value);
    if (merged === undefined || depth > 10) return undefined;
    for (const source of isSeq(merged) ? merged.items : [merged]) {
      const node = this.#resolve(source as Node);
      const found = isMap(node) ? this.#entry(node, name, depth + 1) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #resolve(node: Node | null | undefined): Node | undefined {
    return isAlias(node) ? node.resolve(this.#document) : (node ?? undefined);
  }

  /** Where a thing that is missing should have been: at the key of the nearest parent there is. */
  #around(path: Path): number {
    for (let length = path.length - 1; length > 0; length--) {
      const found = this.#place(path.slice(0, length));
      if (found !== undefined) return found.key ?? found.value;
    }
    return this.#place([])?.value ?? 0;
  }

  /** The number of the line, from 1, and where it starts. */
  #lineAt(offset: number): { line: number; start: number } {
    this.#lineStarts ??= lineStarts(this.#text);
    const starts = this.#lineStarts;
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, start: starts[low] ?? 0 };
  }

  #at(offset: number, message: string, remedy?: string): ConfigProblem {
    const { line, start } = this.#lineAt(offset);
    const end = this.#text.indexOf('\n', start);
    const sourceLine = this.#text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '');
    const place = { file: this.#file, line, column: offset - start + 1 };
    return { ...place, message, sourceLine, ...(remedy !== undefined && { remedy }) };
  }
}

/** A value as YAML, for people to read. */
export function formatYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

function element(item: unknown): { value: Node } | undefined {
  return item === undefined ? undefined : { value: item as Node }; // a parsed sequence holds nodes
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
