import { PassThrough, Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { Output } from '../../../shared/ctl/output.ts';
import { type Column, writeJsonArray, writeTable } from '../../../shared/ctl/table.ts';

type Row = { name: string; count?: number };

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', value: (row) => row.name },
  { title: 'COUNT', right: true, value: (row) => row.count },
  { title: 'NOTE', value: () => '', colour: () => 'red' },
];

const ROWS: Row[] = [{ name: 'a', count: 12345678 }, { name: 'longer-name' }];

function sink(tty: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY: tty });
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { stream, text: () => text };
}

const TABLE = [
  'NAME            COUNT  NOTE',
  'a            12345678  -',
  'longer-name         -  -',
  '',
].join('\n');

it.each([
  ['a pipe', false, {}],
  ['a terminal with NO_COLOR', true, { NO_COLOR: '1' }],
  ['a dumb terminal', true, { TERM: 'dumb' }],
])('a table on %s is plain and of fixed width', async (_, tty, env) => {
  const { stream, text } = sink(tty);
  await writeTable(new Output(stream, env), COLUMNS, ROWS);
  expect(text()).toBe(TABLE);
});

it('colours cells on a terminal without moving columns', async () => {
  const { stream, text } = sink(true);
  await writeTable(new Output(stream, {}), COLUMNS, ROWS);
  expect(text()).toContain('\u001b[31m');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour is
  const plain = text().replace(/\u001b\[\d+m/g, '');
  expect(plain.replace(/ +$/gm, '')).toBe(TABLE);
});

it('writes JSON that is JSON, also of nothing', async () => {
  for (const rows of [[], [1], Array.from({ length: 2500 }, (_, at) => ({ at }))]) {
    const { stream, text } = sink(false);
    await writeJsonArray(new Output(stream, {}), rows);
    expect(JSON.parse(text())).toEqual(rows);
  }
});

it('stops when the reader has gone, without an error', async () => {
  let writes = 0;
  const stream = new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, done) {
      writes++;
      done(writes > 1 ? Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }) : null);
    },
  });
  const out = new Output(stream, {});
  const rows = Array.from({ length: 100_000 }, (_, at) => ({ name: `n${at}` }));
  await writeTable(out, COLUMNS, rows);
  expect(out.closed).toBe(true);
  expect(writes).toBe(2);
});

it('waits for a slow reader', async () => {
  const stream = new PassThrough({ highWaterMark: 10 });
  const out = new Output(stream, {});
  let done = false;
  const writing = out.write('more than ten bytes').then(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toBe(false);
  stream.resume();
  await writing;
});

it.each([false, true])(
  'escapes what a name from the store would do (terminal: %s)',
  async (tty) => {
    const { stream, text } = sink(tty);
    const out = new Output(stream, {});
    const evil = 'a\u001b[2J\u001b]0;x\u0007\u009b31m\u202e\r';
    await out.line(`${evil}\tkept\nkept`);
    await writeTable(out, [{ title: 'NAME', value: () => `${evil}\nb` }], [{}]);
    const shown = 'a\\u001b[2J\\u001b]0;x\\u0007\\u009b31m\\u202e\\u000d';
    expect(text()).toContain(`${shown}\tkept\nkept\n`);
    expect(text()).toContain(`${shown}\\u000ab\n`);
  },
);

it('tells that an output cannot be written, but not that its reader has gone', async () => {
  const failing = (code: string) =>
    new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })),
    });
  const full = new Output(failing('ENOSPC'), {});
  await expect(full.line('a').then(() => full.line('b'))).rejects.toMatchObject({
    code: 'EDGE_CTL_OUTPUT',
  });
  const gone = new Output(failing('EPIPE'), {});
  await gone.line('a');
  await gone.line('b');
  expect(gone.closed).toBe(true);
});
