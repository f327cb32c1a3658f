// What a daemon's log said lately, for /events.json: the last records at info and above, bounded in
// number and in bytes. Kept as the lines that the log wrote, read again only when somebody asks.

const MOST = 200;
const MOST_BYTES = 256 * 1024;
const RECORD_BYTES = 8 * 1024;
/** What stays of a record that is too long. */
const FIELDS = ['level', 'time', 'service', 'node', 'event', 'msg'] as const;
const MESSAGE_CHARACTERS = 1000;

export type RecentRecord = Readonly<Record<string, unknown>>;

export class RecentEvents {
  readonly #lines: string[] = [];
  #characters = 0;

  /** `line`: a record as the log wrote it, JSON. */
  add(line: string): void {
    if (line.startsWith('{"level":"debug"')) return;
    const kept = line.length > RECORD_BYTES ? shortened(line) : line;
    this.#lines.push(kept);
    this.#characters += kept.length;
    while (this.#lines.length > MOST || this.#characters > MOST_BYTES) {
      this.#characters -= this.#lines.shift()?.length ?? 0;
    }
  }

  /** Newest last. */
  page(): { events: RecentRecord[] } {
    return { events: this.#lines.map(read) };
  }
}

function read(line: string): RecentRecord {
  return JSON.parse(line) as RecentRecord; // the log's own, an object
}

function shortened(line: string): string {
  const record = read(line);
  const kept = FIELDS.map((name) => [
    name,
    String(record[name] ?? '').slice(0, MESSAGE_CHARACTERS),
  ]);
  return JSON.stringify({ ...Object.fromEntries(kept), shortened: true });
}
