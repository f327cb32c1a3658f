// Doctor: whether tc shows a program on a link: a second opinion on what a daemon says of itself.
import type { Host } from './host.ts';

/** As iproute2 writes it. */
type Row = { kind?: string; options?: { bpf_name?: string } };

/**
 * `prefix`: with which the names of the programs begin. True where tc cannot tell: it is not
 * installed, or `hook` is not tc.
 */
export async function filterOn(
  host: Host,
  link: string,
  hook: unknown,
  prefix: string,
): Promise<boolean> {
  if (hook !== 'tc') return true;
  const text = await host.run('tc', ['-json', 'filter', 'show', 'dev', link, 'ingress']);
  if (text === undefined) return true;
  const rows = JSON.parse(text || '[]') as Row[];
  return rows.some(({ kind, options }) => {
    const name = options?.bpf_name ?? '';
    return kind === 'bpf' && name.startsWith(prefix);
  });
}
