// What the tidy test knows of the sources: every text that git has or would take, and of TypeScript
// what its own parser (the compiler's API) sees in it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { type Node, type SourceFile, SyntaxKind } from 'typescript/unstable/ast';
import { isCallExpression, isIdentifier, isStringLiteral } from 'typescript/unstable/ast/is';
import { API } from 'typescript/unstable/sync';

export type SourceText = { path: string; text: string }; // the path is relative to the root

export type Import = { target: string; line: number }; // node:x, a package, or a path from the root

export type Module = SourceText & {
  imports: Import[];
  functions: { line: number; lines: number }[];
  /** Lines with the type `any`. */
  anys: number[];
  /** `process`, `Date.now` and the like where they are used. */
  globals: { name: string; line: number }[];
  /** String literals. */
  strings: { text: string; line: number }[];
};

/** Texts with one of the endings, in git or new; without what git ignores. */
export function readTexts(root: string, endings: readonly string[]): SourceText[] {
  const flags = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const listed = execFileSync('git', flags, { cwd: root, encoding: 'utf8' }).split('\0');
  return listed
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .flatMap((path) => {
      const text = readIfThere(join(root, path));
      return text === undefined ? [] : [{ path, text }];
    });
}

/** Every module of the project that tsconfig.json describes. */
export function readModules(root: string): Module[] {
  const api = new API({ cwd: root });
  try {
    const snapshot = api.updateSnapshot({ openProjects: [join(root, 'tsconfig.json')] });
    const program = snapshot.getProjects()[0]?.program;
    if (program === undefined) throw new Error(`no project in ${root}`);
    return program
      .getSourceFileNames()
      .filter((name) => name.startsWith(`${root}/`) && !name.includes('/node_modules/'))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => {
        const file = program.getSourceFile(name);
        if (file === undefined) throw new Error(`${name} was not parsed`);
        return describeModule(relative(root, name), file);
      });
  } finally {
    api.close();
  }
}

/** Listed, but another process may have taken it away meanwhile. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // node:fs throws nothing else.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const functionKinds = new Set([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
]);
const watched = new Set(['process', 'Date', 'Math.random', 'performance', 'setTimeout', 'crypto']);

function describeModule(path: string, file: SourceFile): Module {
  const module: Module = {
    path,
    text: file.text,
    imports: [],
    functions: [],
    anys: [],
    globals: [],
    strings: [],
  };
  const lineAt = lineFinder(file.text);
  const visit = (node: Node): void => {
    const line = lineAt(node.getStart(file));
    if (functionKinds.has(node.kind) && !isSuite(node)) {
      const lines = lineAt(node.end) - line + 1 - suiteLines(node, file, lineAt);
      module.functions.push({ line, lines });
    }
    if (node.kind === SyntaxKind.AnyKeyword) module.anys.push(line);
    if (isStringLiteral(node)) {
      if (isSpecifier(node)) module.imports.push({ target: targetOf(path, node.text), line });
      else module.strings.push({ text: node.text, line });
    }
    const name = globalName(node, file);
    if (name !== undefined) module.globals.push({ name, line });
    node.forEachChild(visit);
  };
  visit(file);
  return module;
}

/** The body of a describe() is a list of tests, not a function to be read at once. */
function isSuite(node: Node): boolean {
  if (!isCallExpression(node.parent)) return false;
  let callee: Node = node.parent.expression; // describe, describe.each(…), describe.skipIf(…)
  while (!isIdentifier(callee)) {
    // Calls and property accesses have one.
    const inner = (callee as { expression?: Node }).expression;
    if (inner === undefined) return false;
    callee = inner;
  }
  return callee.text === 'describe';
}

/** Lines of the suites that a function defines, such as one that several stores have to pass. */
function suiteLines(node: Node, file: SourceFile, lineAt: (offset: number) => number): number {
  let lines = 0;
  node.forEachChild(function count(child: Node): void {
    const isOne = functionKinds.has(child.kind) && isSuite(child);
    if (isOne) lines += lineAt(child.end) - lineAt(child.getStart(file)) + 1;
    else child.forEachChild(count);
  });
  return lines;
}

function isSpecifier(node: Node): boolean {
  const { kind } = node.parent;
  if (kind === SyntaxKind.ImportDeclaration || kind === SyntaxKind.ExportDeclaration) return true;
  const imported = isCallExpression(node.parent) ? node.parent.expression.kind : undefined;
  return imported === SyntaxKind.ImportKeyword;
}

function targetOf(path: string, specifier: string): string {
  if (specifier.startsWith('.')) return normalize(join(dirname(path), specifier));
  if (specifier.startsWith('node:')) return specifier;
  return /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
}

/** A watched global that is read here, and is no property, parameter or name of something else. */
function globalName(node: Node, file: SourceFile): string | undefined {
  if (!isIdentifier(node)) return undefined;
  const { parent } = node;
  const isMember = parent.kind === SyntaxKind.PropertyAccessExpression;
  const object = (parent as { expression?: Node }).expression; // the left side of a property access
  if (isMember && object !== node) return undefined;
  const isUse = isMember || isCallExpression(parent) || parent.kind === SyntaxKind.NewExpression;
  if (!isUse) return undefined;
  const full = isMember ? parent.getText(file) : node.text;
  return [node.text, full].find((name) => watched.has(name));
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
