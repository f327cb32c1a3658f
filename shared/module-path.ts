// Modules that are started by their file, not imported: threads and processes of our own. Sources
// run as .ts, the package as the .js that was made of them; an import is rewritten, a text is not.
import { extname } from 'node:path';

/**
 * The module at `path` (relative, without extension: `./worker/main`) from the one that asks, with
 * the extension that this one runs with.
 * @param self import.meta.url of the one that asks
 */
export function siblingModule(path: string, self: string): URL {
  return new URL(path + extname(new URL(self).pathname), self);
}
