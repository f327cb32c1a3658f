// What is read by people and by other programs: manual pages, examples, completion, dashboards,
// copyright and changelog.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type NodeModule, productionModules } from './node-modules.ts';
import { writePages } from './pages.ts';
import { changesOf, type Release } from './release.ts';

const DOCUMENTS = 'usr/share/doc/edgeplane';
const CHANGES = 50;
/** Where each shell looks for a completion of edgectl. */
const COMPLETIONS: Readonly<Record<string, string>> = {
  bash: 'usr/share/bash-completion/completions/edgectl',
  zsh: 'usr/share/zsh/vendor-completions/_edgectl',
  fish: 'usr/share/fish/vendor_completions.d/edgectl.fish',
};

export function writeDocuments(checkout: string, tree: string, release: Release): void {
  const date = new Date(release.epoch * 1000).toISOString().slice(0, 10);
  writePages(checkout, tree, { version: release.version, date });
  writeCompletions(tree);
  const documents = join(tree, DOCUMENTS);
  copyAll(join(checkout, 'deploy/examples'), join(documents, 'examples'));
  copyAll(join(checkout, 'deploy/redis'), join(documents, 'examples/redis'));
  copyAll(join(checkout, 'deploy/monitoring'), join(tree, 'usr/share/edgeplane/monitoring'));
  copyPages(checkout, join(documents, 'docs'));
  const node = join(dirname(dirname(process.execPath)), 'LICENSE');
  write(join(documents, 'LICENSE.node.gz'), gzipSync(readFileSync(node)));
  write(join(documents, 'copyright'), copyright(productionModules(checkout)));
  write(join(documents, 'changelog.Debian.gz'), gzipSync(changelog(checkout, release)));
}

/** What a shell has no completion for, it is not asked for. */
function writeCompletions(tree: string): void {
  for (const [shell, path] of Object.entries(COMPLETIONS)) {
    const script = completion(tree, shell);
    if (script !== undefined) write(join(tree, path), script);
  }
}

function completion(tree: string, shell: string): string | undefined {
  const options = { encoding: 'utf8', stdio: 'pipe' } as const;
  try {
    return execFileSync(join(tree, 'usr/bin/edgectl'), ['completion', shell], options);
  } catch (error) {
    if (shell !== 'bash' && Object(error).status === 2) return undefined;
    throw error;
  }
}

/** The rules and how-tos that the manual pages name; what was measured stays in the source. */
function copyPages(checkout: string, to: string): void {
  for (const path of globSync('docs/*.md', { cwd: checkout })) {
    if (/^(bench|conformance|soak)-/.test(basename(path))) continue;
    write(join(to, basename(path)), readFileSync(join(checkout, path)));
  }
}

function copyAll(from: string, to: string): void {
  const isRead = (path: string): boolean => !/\.(ts|test\.yaml)$/.test(path);
  if (existsSync(from)) cpSync(from, to, { recursive: true, filter: isRead });
}

function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

function copyright(modules: readonly NodeModule[]): string {
  const rows = modules.map(
    ({ name, version, license }) => `Files: usr/lib/edgeplane/node_modules/${name}/*
Copyright: its authors, named in its LICENSE or package.json
License: ${license}
Comment: ${name} ${version}
`,
  );
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: edgeplane

Files: *
Copyright: the authors of Edgeplane
License: proprietary
 All rights reserved.

Files: usr/lib/edgeplane/bin/node
Copyright: Node.js contributors, and the authors of what Node contains
License: Expat and others
 The whole text is in /usr/share/doc/edgeplane/LICENSE.node.gz

${rows.join('\n')}`;
}

function changelog(checkout: string, { debianVersion, epoch }: Release): string {
  const lines = changesOf(checkout, CHANGES).map((subject) => `  * ${subject}`);
  const date = new Date(epoch * 1000).toUTCString().replace('GMT', '+0000');
  const head = `edgeplane (${debianVersion}) unstable; urgency=medium`;
  return `${head}\n\n${lines.join('\n')}\n\n -- Edgeplane <root@localhost>  ${date}\n`;
}
