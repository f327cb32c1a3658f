// A log record as one line for a terminal: time, level, event, message, fields.

export type LogRecord = { level: string; time: string; event: string; msg: string } & {
  [field: string]: unknown;
};

const colors: Record<string, string> = { debug: '2', info: '32', warn: '33', error: '31;1' };
const shownElsewhere = new Set(['level', 'time', 'service', 'node', 'event', 'msg']);

export function formatPretty(record: LogRecord, color: boolean): string {
  const paint = (code: string, text: string) => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const fields = Object.entries(record)
    .filter(([name]) => !shownElsewhere.has(name))
    .map(([name, value]) => paint('2', `${printable(name)}=`) + formatField(value));
  const head = [
    paint('2', record.time.slice(11, 23)),
    paint(colors[record.level] ?? '0', record.level.toUpperCase().padEnd(5)),
    paint('1', printable(record.event)),
    printable(record.msg),
  ];
  return `${[...head, ...fields].join(' ')}\n`;
}

function formatField(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const quote = text === '' || (typeof value === 'string' && /[\s"=]/.test(text));
  return printable(quote ? JSON.stringify(text) : text);
}

/** A name from the network must not move the cursor, end the line, or turn its direction. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}
