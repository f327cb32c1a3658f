// How the clients of the story ask: ping, curl, kdig, socat, as people do.
import { LAB_ZONE } from '../dns.ts';
import { WWW } from '../lb-objects.ts';
import type { LabNode } from '../node.ts';
import type { Outcome } from './step.ts';

export async function ping(from: LabNode, to: string, size = 56): Promise<Outcome> {
  const args = ['-c', '5', '-i', '0.05', '-W', '2', '-s', String(size), to];
  const { stdout } = await from.exec('ping', args, { allowFailure: true });
  const received = Number(/(\d+) received/.exec(stdout)?.[1] ?? 0);
  const average = /= [\d.]+\/([\d.]+)\//.exec(stdout)?.[1];
  return { ok: received === 5, result: `${received}/5 back${average ? `, ${average} ms` : ''}` };
}

/** An HTTP request; the answer says who answered, and whom that node saw. */
export async function get(from: LabNode, host: string, expected: string): Promise<Outcome> {
  const args = ['-sS', '--max-time', '5', `http://${host}/`];
  const { stdout, stderr } = await from.exec('curl', args, { allowFailure: true });
  const answer = (stdout || stderr).trim().replace(/ port \d+$/, '');
  return { ok: answer === expected, result: answer };
}

export async function udpEcho(from: LabNode, address: string, port: number): Promise<Outcome> {
  const args = ['-t', '2', '-T', '2', '-', `UDP:${address}:${port}`];
  const { stdout } = await from.exec('socat', args, { input: 'echo me', allowFailure: true });
  return { ok: stdout === 'echo me', result: stdout ? `"${stdout}" back` : 'nothing came back' };
}

/**
 * The address of a name of the lab's zone. Of several servers, the first that answers within a
 * second, as a host does that has them in its resolv.conf; '' when none does.
 */
export async function lookUp(from: LabNode, host: string, servers: string[]): Promise<string> {
  for (const server of servers) {
    const query = ['+short', '+timeout=1', '+retry=0', `@${server}`, `${host}.${LAB_ZONE}`, 'A'];
    const { stdout } = await from.exec('kdig', query, { allowFailure: true });
    const answer = stdout.trim();
    if (/^[\d.]+$/.test(answer)) return answer;
  }
  return '';
}

/** www by the VIP that is told; over TLS it has to come as HTTP/2. `result`: VIP, VM, version. */
export async function www(from: LabNode, scheme: 'http' | 'https', vip: string): Promise<Outcome> {
  const port = scheme === 'http' ? 80 : 443;
  const args = ['-sSk', '--max-time', '3', '-w', '%{http_version}'];
  args.push('--resolve', `${WWW}:${port}:${vip}`, `${scheme}://${WWW}/`);
  const { stdout, stderr } = await from.exec('curl', args, { allowFailure: true });
  const [, who = '', version = ''] = /^(vm-\d+) saw [^\n]*\n([\d.]+)$/.exec(stdout) ?? [];
  const result = who === '' ? (stdout || stderr).trim() : `${vip}, ${who}, HTTP/${version}`;
  return { ok: who !== '' && version === (port === 80 ? '1.1' : '2'), result };
}
