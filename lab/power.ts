// A machine between ToR and the inside that dies without a word, and is there again.
import type { LabNode } from './node.ts';

const LINKS = ['up0', 'in0'];

const DEAF = 'edge_dead';
const MUTE = `table ip ${DEAF} {
  chain out { type filter hook output priority 0; policy drop; oif lo accept; }
}
`;

/**
 * Links that went down would be seen at once; a dead host behind a switch is not. Nothing comes in,
 * and nothing leaves, so that no connection of a killed process is closed.
 */
export async function silence(node: LabNode): Promise<void> {
  const chains = LINKS.map((link) => {
    return `chain ${link} { type filter hook ingress device ${link} priority -500; policy drop; }`;
  });
  await node.exec('nft', ['-f', '-'], {
    input: `table netdev ${DEAF} {\n${chains.join('\n')}\n}\n${MUTE}`,
  });
}

/** What is at tc comes before nft on ingress, and outlives its daemon: it goes with the machine. */
export async function dropPrograms(node: LabNode, links: readonly string[]): Promise<void> {
  for (const link of links) {
    await node.exec('tc', ['qdisc', 'del', 'dev', link, 'clsact'], { allowFailure: true });
  }
}

/** What was announced by routes of this protocol is gone, and the links hear again. */
export async function unsilence(node: LabNode, routeProtocol: number): Promise<void> {
  const { stdout } = await node.exec('ip', ['-4', 'route', 'show', 'proto', `${routeProtocol}`]);
  const routes = stdout.split('\n').filter(Boolean);
  await node.ip(...routes.map((route) => `route del ${route}`));
  const input = `delete table netdev ${DEAF}\ndelete table ip ${DEAF}\n`;
  await node.exec('nft', ['-f', '-'], { input });
}
