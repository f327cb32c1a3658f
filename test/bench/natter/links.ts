// The links of the namespace this process runs in.
import { execFileSync } from 'node:child_process';

/** /sys shows another namespace's links here; `ip` asks the kernel. */
export function linkIndex(name: string): number {
  const text = execFileSync('ip', ['-j', 'link', 'show', 'dev', name], { encoding: 'utf8' });
  // as: `ip -j` documents this shape; the check below does not trust it.
  const index = (JSON.parse(text) as { ifindex?: unknown }[])[0]?.ifindex;
  if (typeof index !== 'number') throw new Error(`no link ${name}`);
  return index;
}
