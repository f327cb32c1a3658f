// From a file to a checked value, or to every error in it at once; and back to text for
// --print-config.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError, type ConfigProblem, OperationalError } from '../errors.ts';
import { explainIssues, wording } from './explain.ts';
import { formatYaml, type Path, YamlSource } from './yaml.ts';

/** Says that what stands at a path is wrong in a way that no schema can see. */
export type Report = (path: Path, message: string, remedy?: string) => void;

export type ConfigSource<Schema extends z.ZodType> = {
  file: string; // as shown in errors; read when there is no text
  text?: string;
  schema: Schema; // strict objects, so that unknown keys are errors
  check?: (value: z.output<Schema>, report: Report) => void; // runs once the schema accepts
  maxBytes?: number;
};

const defaultMaxBytes = 4 * 1024 * 1024;

/** Throws a ConfigError with all problems, or EDGE_CONFIG_UNREADABLE when permission is missing. */
export function loadConfig<Schema extends z.ZodType>(
  config: ConfigSource<Schema>,
): z.output<Schema> {
  const text = config.text ?? readText(config.file, config.maxBytes ?? defaultMaxBytes);
  const source = new YamlSource(config.file, text);
  const value = source.value ?? {}; // an empty file says nothing, so defaults apply
  if (typeof value !== 'object' || Array.isArray(value)) {
    const problem = source.problem([], 'expected settings as "key: value" lines');
    throw new ConfigError([problem]);
  }
  const parsed = config.schema.safeParse(value, { error: wording });
  if (!parsed.success) {
    throw new ConfigError(explainIssues(parsed.error.issues, config.schema, source));
  }
  const problems: ConfigProblem[] = [];
  config.check?.(parsed.data, (path, message, remedy) => {
    problems.push(source.problem(path, message, remedy));
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return parsed.data;
}

/**
 * The configuration in force, defaults included, as YAML that loads to the same; passwords hidden.
 */
export function printConfig<Schema extends z.ZodType>(
  schema: Schema,
  value: z.output<Schema>,
): string {
  return formatYaml(redact(z.encode(schema, value)));
}

function readText(file: string, maxBytes: number): string {
  const bytes = readBytes(file);
  const refuse = (message: string) => new ConfigError([{ file, line: 0, column: 0, message }]);
  if (bytes.length > maxBytes) throw refuse(`has ${bytes.length} bytes, more than ${maxBytes}`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw refuse('is not UTF-8 text');
  }
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code; // node:fs throws nothing else
    if (code === 'EACCES' || code === 'EPERM') {
      throw new OperationalError('EDGE_CONFIG_UNREADABLE', `${file} may not be read`, {
        cause: error,
        remedy: 'check its owner and mode',
        exitCode: 77,
      });
    }
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read: ${code}`;
    throw new ConfigError([{ file, line: 0, column: 0, message: why }]);
  }
}

const secretName = /(password|passwd|secret|token)$/i;

/**
 * Secrets belong into files of their own; what slipped into a URL or under such a name is hidden.
 */
function redact(value: unknown, name = ''): unknown {
  if (typeof value === 'string') {
    if (secretName.test(name)) return '***';
    return value.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/@:]*):.*@/i, '$1:***@');
  }
  if (Array.isArray(value)) return value.map((item) => redact(item, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redact(item, key)]));
}
