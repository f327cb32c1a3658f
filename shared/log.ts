// Logs: JSON lines (level, time, service, node, event, the record's fields, msg), or one-liners on
// a terminal. Each record carries the id of an event that its owner declares in a table with an
// explanation and a remedy. An event that repeats is written a few times and then counted.
import { type LevelWithSilent, pino } from 'pino';
import type { Clock } from './clock.ts';
import { OperationalError } from './errors.ts';
import { formatPretty, type LogRecord } from './pretty.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Event ids are lower-case words and dashes; they are an interface and never change. */
export type EventTable = Readonly<
  Record<
    string,
    {
      explanation: string;
      remedy: string;
      /** Each one is written, however many: whoever logs it keeps them to a bound. */
      isRecord?: true;
    }
  >
>;

type Reserved = 'level' | 'time' | 'service' | 'node' | 'event' | 'msg' | 'suppressed';
export type LogFields = { readonly [name: string]: unknown } & { [name in Reserved]?: never };
type Write<Event> = (event: Event, message: string, fields?: LogFields) => void;

/** What a room gets to log with; one that knows more events serves where fewer are needed. */
export type Log<Event extends string = string> = { readonly [level in LogLevel]: Write<Event> };

export interface RootLog<Event extends string = string> extends Log<Event> {
  setLevel(level: LogLevel): void;
  /** Writes what is still held back. */
  flush(): void;
}

export type LogOutput = { write(text: string): unknown; isTTY?: boolean };

export type LogOptions<Table extends EventTable> = {
  service: string;
  node: string;
  events: Table;
  level: LogLevel;
  output: LogOutput;
  clock: Clock;
  noColor?: boolean;
  onEvent?: (event: string) => void; // every record at or above the level, also a suppressed one
  onRecord?: (line: string) => void; // every record that is written, as JSON
};

const burst = 10; // records of one event that are written in a window
const windowMs = 10_000;

export function createLog<const Table extends EventTable>(
  options: LogOptions<Table>,
): RootLog<keyof Table & string> {
  const root = createPino(options);
  const limiter = new Repetition(options.clock, (level, event, message, fields) => {
    root[level]({ event, ...fields } as object, message);
  });
  const writer =
    (level: LogLevel) =>
    (event: string, message: string, fields: LogFields = {}) => {
      if (!root.isLevelEnabled(level)) return;
      options.onEvent?.(event);
      if (options.events[event]?.isRecord) root[level]({ event, ...fields }, message);
      else limiter.write(level, event, message, fields);
    };
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    setLevel: (level) => {
      root.level = level;
    },
    flush: () => limiter.flush(),
  };
}

/** For tests and tools that have nowhere to write. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

function createPino(options: LogOptions<EventTable>) {
  const { output, clock, onRecord } = options;
  const pretty = output.isTTY === true;
  const color = pretty && options.noColor !== true;
  const level: LevelWithSilent = options.level;
  return pino(
    {
      level,
      base: { service: options.service, node: options.node },
      timestamp: () => `,"time":"${new Date(clock.nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: serializeError },
    },
    // pino hands over its own JSON, a flat object with at least these fields.
    {
      write(line) {
        output.write(pretty ? formatPretty(JSON.parse(line) as LogRecord, color) : line);
        onRecord?.(line);
      },
    },
  );
}

function serializeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const cause =
    error.cause !== undefined && depth < 4 ? serializeError(error.cause, depth + 1) : undefined;
  if (error instanceof OperationalError) {
    return { code: error.code, message: error.message, remedy: error.remedy, cause };
  }
  return { name: error.name, message: error.message, stack: error.stack, cause };
}

type Emit = (level: LogLevel, event: string, message: string, fields: LogFields) => void;
type Series = { sinceMs: number; written: number; held: number; last: () => void };

/**
 * Lets `burst` records of an event pass in a window; of the rest, the last comes with their count.
 */
class Repetition {
  readonly #series = new Map<string, Series>();
  readonly #clock: Clock;
  readonly #emit: Emit;

  constructor(clock: Clock, emit: Emit) {
    this.#clock = clock;
    this.#emit = emit;
  }

  write(level: LogLevel, event: string, message: string, fields: LogFields): void {
    if (level === 'debug' || this.#passes(event)) this.#emit(level, event, message, fields);
    else this.#hold(level, event, message, fields);
  }

  flush(): void {
    for (const [event, series] of this.#series) this.#close(event, series);
  }

  #passes(event: string): boolean {
    const series = this.#current(event);
    if (series.written === burst) return false;
    series.written++;
    return true;
  }

  #hold(level: LogLevel, event: string, message: string, fields: LogFields): void {
    const series = this.#current(event);
    series.held++;
    series.last = () => {
      const others = series.held - 1;
      // `suppressed` is ours: the type keeps callers from it.
      const counted = (others > 0 ? { ...fields, suppressed: others } : fields) as LogFields;
      this.#emit(level, event, message, counted);
    };
    if (series.held === 1) {
      const leftMs = series.sinceMs + windowMs - this.#clock.monotonicMs();
      this.#clock.after(leftMs, () => this.#close(event, series));
    }
  }

  #current(event: string): Series {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#series.get(event);
    if (known !== undefined && (known.held > 0 || nowMs - known.sinceMs < windowMs)) return known;
    const fresh = { sinceMs: nowMs, written: 0, held: 0, last: () => {} };
    this.#series.set(event, fresh);
    return fresh;
  }

  #close(event: string, series: Series): void {
    if (this.#series.get(event) !== series) return; // flushed meanwhile
    this.#series.delete(event);
    series.last();
  }
}
