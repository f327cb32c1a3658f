// argv → exit code: parses, runs, and turns every kind of error into its message and code.

import { ConfigError, describeError, OperationalError } from '../errors.ts';
import { parseArguments } from './arguments.ts';
import { type Command, UsageError } from './command.ts';
import { COMMANDS, FAMILIES } from './commands.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit.ts';
import { EVERYWHERE } from './flags.ts';
import { helpFor } from './help.ts';

/** Never rejects but for a bug. */
export async function runEdgectl(argv: readonly string[], context: Context): Promise<number> {
  let command: Command | undefined;
  try {
    const parsed = parseArguments(argv, COMMANDS, EVERYWHERE);
    if (parsed.kind === 'help') {
      await context.out.line(helpFor(parsed.words, COMMANDS, FAMILIES).join('\n'));
      return EXIT.ok;
    }
    command = parsed.command;
    const run = await command.load();
    return await run(context, parsed.args);
  } catch (error) {
    return report(error, context, command);
  }
}

async function report(
  error: unknown,
  context: Context,
  command: Command | undefined,
): Promise<number> {
  if (context.signal.aborted) {
    await context.err.line('edgectl: interrupted');
    return EXIT.interrupted;
  }
  if (error instanceof UsageError) {
    const name = error.command ?? command?.name;
    const words = name === undefined ? 'edgectl --help' : `edgectl ${name} --help`;
    await context.err.line(`edgectl: ${error.message}\nSee: ${words}`);
    return EXIT.usage;
  }
  if (error instanceof ConfigError) {
    await context.err.line(error.message);
    const count = error.problems.length;
    await context.err.line(`edgectl: ${count} error${count === 1 ? '' : 's'}, nothing was changed`);
    return EXIT.badFile;
  }
  const told = error instanceof OperationalError;
  if (isDenied(error) && !(told && error.exitCode === EXIT.permission)) {
    await context.err.line(`edgectl: ${describeError(error)} (run it as root, or with sudo)`);
    return EXIT.permission;
  }
  if (!told) throw error;
  await context.err.line(describeError(error).replace(/^/gm, 'edgectl: '));
  return error.exitCode === EXIT.failure ? (command?.troubleCode ?? EXIT.failure) : error.exitCode;
}

/** Whether the error, or what caused it, is that we may not. */
function isDenied(error: unknown): boolean {
  let current: unknown = error;
  for (let depth = 0; current instanceof Error && depth < 5; depth++) {
    const code = 'code' in current ? current.code : undefined;
    if (code === 'EACCES' || code === 'EPERM') return true;
    current = current.cause;
  }
  return false;
}
