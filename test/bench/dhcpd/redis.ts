// A Redis of the bench's own on a unix socket: append-only file, each write synced before it is
// answered. The few commands that the bench has for it go by a small client.
import { createConnection } from 'node:net';
import { join } from 'node:path';
import type { LabProcess } from '../../../lab/process.ts';
import type { Run } from '../../../lab/run.ts';
import { NODE, spawnInside } from './site.ts';

const READY_LIMIT_MS = 30_000;
const COMMAND_LIMIT_MS = 120_000;

export interface Redis {
  process: LabProcess;
  url: string;
  path: string;
  /** Of the whole set, when there are replicas. */
  others: LabProcess[];
}

/** `more`: further settings. On a unix socket only, unless they have a port. */
export async function startRedis(
  run: Run,
  name: string,
  directory: string,
  more: Record<string, string | number> = {},
): Promise<Redis> {
  const path = join(directory, `${name}.sock`);
  const settings = {
    port: 0,
    unixsocket: path,
    dir: directory,
    save: '',
    appendonly: 'yes',
    appendfsync: 'always',
    daemonize: 'no',
    appenddirname: `${name}.aof`,
    ...more,
  };
  const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const argv = ['redis-server', ...args];
  const started = spawnInside(run, argv, { name, node: NODE.servers });
  const answers = async (): Promise<boolean> => (await ask(path, ['PING'])) === 'PONG';
  await started.ready('answers', answers, READY_LIMIT_MS);
  return { process: started, url: `unix:${path}`, path, others: [] };
}

type Word = string | Uint8Array;

/** As the protocol has a command. */
function command(words: readonly Word[]): Buffer {
  const parts = words.flatMap((word) => {
    const bytes = Buffer.from(word);
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')];
  });
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts]);
}

/** The text of a simple, a number's or a bulk reply that has come whole. */
function readReply(text: string): string | undefined {
  const end = text.indexOf('\r\n');
  if (end < 0) return undefined;
  const head = text.slice(1, end);
  if (text[0] === '-') throw new Error(`Redis: ${head}`);
  if (text[0] !== '$') return head;
  const length = Number(head);
  if (length < 0) return '';
  const body = text.slice(end + 2);
  return body.length < length + 2 ? undefined : body.slice(0, length);
}

/** Sends commands at once; resolves with the reply of the last, which must be short text. */
export function askAll(path: string, commands: Iterable<readonly Word[]>): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    // The replies before are whole lines: +OK, or a number.
    let left = 0;
    let received = '';
    socket.setTimeout(COMMAND_LIMIT_MS, () => socket.destroy(new Error('Redis did not answer')));
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      try {
        for (let end = received.indexOf('\r\n'); left > 1 && end >= 0; left--) {
          readReply(received.slice(0, end + 2));
          received = received.slice(end + 2);
          end = received.indexOf('\r\n');
        }
        const last = left > 1 ? undefined : readReply(received);
        if (last === undefined) return;
        resolve(last);
      } catch (error) {
        reject(error);
      }
      socket.destroy();
    });
    for (const words of commands) {
      socket.write(command(words));
      left++;
    }
  });
}

export const ask = (path: string, words: readonly Word[]): Promise<string> => askAll(path, [words]);

/** One field of INFO. */
export async function infoOf(path: string, section: string, field: string): Promise<string> {
  const text = await ask(path, ['INFO', section]);
  const found = new RegExp(`^${field}:(.*)\r$`, 'm').exec(text)?.[1];
  if (found === undefined) throw new Error(`Redis' INFO ${section} has no ${field}`);
  return found;
}
