// The node modules that run in production, and of each what is read at run time: no sources, types,
// documents, tests, and no binary for another machine.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type NodeModule = { name: string; version: string; license: string; files: string[] };

type Manifest = {
  name: string;
  version: string;
  license?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
};

/** Node itself is packed as a program; types and what only a build includes are not read. */
const NOT_AT_RUN_TIME = /^(node-linux-.*|@types\/.*|undici-types|nan)$/;
/** Of a module's own folder; deeper ones may be code of these names. */
const NOT_CODE = /^(\..*|tests?|__tests__|examples?|docs?|bench(marks?)?|browser|musl_.*)$/;
/** What a build leaves beside its result. */
const BUILD_STEPS = /^(obj\.target|\.deps)$/;
const READ_AT_RUN_TIME = /\.(js|cjs|mjs|json|node|css)$|^(licen[cs]e|notice|copying)[^/]*$/i;

/** All that the product's own dependencies lead to, by name. */
export function productionModules(checkout: string): NodeModule[] {
  const found = new Map<string, NodeModule>();
  const wanted = Object.keys(manifestOf(checkout).dependencies ?? {});
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    const folder = join(checkout, 'node_modules', name);
    if (found.has(name) || NOT_AT_RUN_TIME.test(name)) continue;
    if (!existsSync(folder)) continue; // optional, and for another machine
    if (existsSync(join(folder, 'node_modules')))
      throw new Error(`${name} brings modules of its own: deploy/package packs a flat tree`);
    const manifest = manifestOf(folder);
    const { version, license = 'see its LICENSE', dependencies, optionalDependencies } = manifest;
    found.set(name, { name, version, license, files: filesOf(folder) });
    wanted.push(...Object.keys({ ...dependencies, ...optionalDependencies }));
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function filesOf(folder: string, under = ''): string[] {
  return readdirSync(join(folder, under), { withFileTypes: true }).flatMap((entry) => {
    const path = join(under, entry.name);
    if (entry.isDirectory()) {
      const isLeftOut = BUILD_STEPS.test(entry.name) || (under === '' && NOT_CODE.test(entry.name));
      return isLeftOut ? [] : filesOf(folder, path);
    }
    return entry.isFile() && READ_AT_RUN_TIME.test(entry.name) ? [path] : [];
  });
}
