// Marks that go with requests and come back in answers: whose an answer is can be seen by them.
import { createHash } from 'node:crypto';
import { heard, open } from './hostile-rig.ts';
import { TOKEN } from './hostile-targets.ts';

/** No small change makes another one of it. */
export function markOf(text: string): string {
  return `k${createHash('sha1').update(text).digest('hex').slice(0, 16)}`;
}

export class Marks {
  readonly #issued = new Map<string, number>();
  #connections = 0;

  /** Says requests, each with a mark, at once on a connection; marks of others that it was told. */
  async play(port: number, count: number, request: (mark: string) => string): Promise<string[]> {
    const id = this.#connections++;
    const socket = await open(port, `127.0.${1 + (id % 7)}.2`);
    const marks = Array.from({ length: count }, (_, at) => markOf(`${id}/${at}`));
    for (const mark of marks) this.#issued.set(mark, id);
    socket.end(Buffer.from(marks.map(request).join(''), 'latin1'));
    const told = (await heard(socket)).match(TOKEN) ?? [];
    return told.filter((mark) => (this.#issued.get(mark) ?? id) !== id);
  }
}

/** `count` times, so many at once; all that came of it. */
export async function inLanes(
  lanes: number,
  count: number,
  one: () => Promise<string[]>,
): Promise<string[]> {
  const all: string[] = [];
  let left = count;
  const each = Array.from({ length: lanes }, async () => {
    while (left-- > 0) all.push(...(await one()));
  });
  await Promise.all(each);
  return all;
}
