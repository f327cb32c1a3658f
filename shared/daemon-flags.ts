// The command line that all daemons have alike.
import { parseArgs } from 'node:util';
import { didYouMean } from './config/suggest.ts';
import { OperationalError } from './errors.ts';
import { type LogLevel, logLevels } from './log.ts';

export type DaemonFlags = {
  action: 'run' | 'check-config' | 'print-config' | 'version' | 'help';
  config: string;
  logLevel?: LogLevel;
  /** Switches of the service's own that were given. */
  switches: ReadonlySet<string>;
};

export type DaemonCommand = {
  service: string;
  description: string;
  /** The service's own switches and their help. */
  switches?: Readonly<Record<string, string>>;
};

const actions = ['help', 'version', 'check-config', 'print-config'] as const;

/** Throws EDGE_USAGE, exit code 2. */
export function parseDaemonFlags(command: DaemonCommand, args: readonly string[]): DaemonFlags {
  const own = Object.keys(command.switches ?? {});
  const flag = { type: 'boolean' } as const;
  const options = {
    config: { type: 'string' },
    'log-level': { type: 'string' },
    ...Object.fromEntries([...actions, ...own].map((name) => [name, flag])),
  } as const;
  const values = parseStrictly(args, options);
  return {
    action: actions.find((name) => values[name] === true) ?? 'run',
    config: textOf(values.config) ?? `/etc/edge/${command.service}.yaml`,
    ...logLevelOf(textOf(values['log-level'])),
    switches: new Set(own.filter((name) => values[name] === true)),
  };
}

export function daemonHelp(command: DaemonCommand): string {
  const file = `/etc/edge/${command.service}.yaml`;
  const rows: [string, string][] = [
    ['--config FILE', `settings, ${file} if not given`],
    ['--check-config', 'say what is wrong with the settings and end; silent when nothing is'],
    ['--print-config', 'show the settings in force, defaults included, and end'],
    ['--log-level LEVEL', `${logLevels.join(', ')}; goes before the settings`],
    ['--version', 'show versions and end'],
    ['--help', 'show this and end'],
    ...Object.entries(command.switches ?? {}).map(([name, help]): [string, string] => [
      `--${name}`,
      help,
    ]),
  ];
  return `Usage: edge-${command.service} [--config FILE]
${command.description}

${rows.map(([flag, help]) => `  ${flag.padEnd(20)}${help}`).join('\n')}

Signals: TERM stops in order; a second TERM ends at once; HUP reloads; USR1 logs the state.
Exit codes: 0 ok, 1 failure, 2 usage, 77 no permission, 78 settings wrong.
Example: edge-${command.service} --config ${file} --check-config
`;
}

type Options = NonNullable<Parameters<typeof parseArgs>[0]>['options'];

function parseStrictly(args: readonly string[], options: NonNullable<Options>) {
  try {
    const values: Record<string, unknown> = parseArgs({ args: [...args], options }).values;
    return values;
  } catch (error) {
    // parseArgs throws TypeErrors with a code for what the user typed.
    if (!(error instanceof TypeError && 'code' in error)) throw error;
    const typed = /'--([^' ]+)/.exec(error.message)?.[1] ?? '';
    const known = Object.keys(options);
    const meant = known.includes(typed) ? undefined : didYouMean(typed, known);
    throw usage(error.message.split('. ')[0] ?? error.message, meant ?? 'see --help');
  }
}

function logLevelOf(text: string | undefined): { logLevel?: LogLevel } {
  if (text === undefined) return {};
  const level = logLevels.find((each) => each === text);
  if (level === undefined) throw usage(`"${text}" is no log level`, `use ${logLevels.join(', ')}`);
  return { logLevel: level };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function usage(message: string, remedy: string): OperationalError {
  const lowered = message.charAt(0).toLowerCase() + message.slice(1);
  return new OperationalError('EDGE_USAGE', lowered, { remedy, exitCode: 2 });
}
