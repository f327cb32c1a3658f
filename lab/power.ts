// A machine between ToR and the inside that dies without a word, and is there again.
import type { LabNode } from './node.ts';

const LINKS = ['up0', 'in0'];

/**
 * Links that went down would be seen at once; a dead host behind a switch is not. `programs`: the
 * links that have some at tc, which comes before nft on ingress; they go.
 */
export async function silence(node: LabNode, programs: readonly string[]): Promise<void> {
  const chains = LINKS.map((link) => {
    return `chain ${link} { type filter hook ingress device ${link} priority -500; policy drop; }`;
  });
  await node.exec('nft', ['-f', '-'], {
    input: `table netdev edge_dead {\n${chains.join('\n')}\n}\n`,
  });
  for (const link of programs) {
    await node.exec('tc', ['qdisc', 'del', 'dev', link, 'clsact'], { allowFailure: true });
  }
}

/** What was announced by routes of this protocol is gone, and the links hear again. */
export async function unsilence(node: LabNode, routeProtocol: number): Promise<void> {
  const { stdout } = await node.exec('ip', ['-4', 'route', 'show', 'proto', `${routeProtocol}`]);
  const routes = stdout.split('\n').filter(Boolean);
  await node.ip(...routes.map((route) => `route del ${route}`));
  await node.exec('nft', ['delete', 'table', 'netdev', 'edge_dead']);
}
