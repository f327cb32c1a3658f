// Two dns of a whole site: clients of three ISPs, elastic IPs by natters, endpoints that die.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DNS_EIPS, dnsObjects, LAB_ZONE } from '../../lab/dns.ts';
import { until } from '../../lab/ready.ts';
import { type Site, site } from '../../lab/site.ts';
import { needs, program, root } from '../support/skip.ts';

const WWW = `www.${LAB_ZONE}`;
const OWN = { telecom: '198.51.100.1', unicom: '198.51.100.2', mobile: '198.51.100.3' };
type Isp = keyof typeof OWN;
const ISPS = Object.keys(OWN) as Isp[];

let lab: Site;

beforeAll(async () => {
  if (!root().met) return;
  lab = await site({ isps: 3, natters: 2, vms: 3, dnses: 2 });
  const dnses = lab.dnses.map(({ address }, at) => ({ address: DNS_EIPS[at], private: address }));
  const vms = ISPS.map((isp, at) => ({ address: OWN[isp], private: lab.vm(at + 1).address }));
  await lab.apply({ eips: [...vms, ...dnses], ...dnsObjects(OWN) });
  await lab.converged();
}, 60_000);
beforeEach((context) => needs(context, root(), program('kdig'), program('curl')));
afterAll(() => lab?.down());

async function ask(isp: Isp, server = DNS_EIPS[0], ...more: string[]): Promise<string> {
  const query = ['+short', '+timeout=1', '+retry=1', `@${server}`, WWW, 'A', ...more];
  const { stdout } = await lab.client(isp).exec('kdig', query, { allowFailure: true });
  return stdout.trim();
}

const everywhere = async (isp: Isp, address: string): Promise<boolean> => {
  const answers = await Promise.all(DNS_EIPS.map((server) => ask(isp, server)));
  return answers.every((answer) => answer === address);
};

describe('each ISP', () => {
  test.each(ISPS)('%s is told its own address by both, and reaches it', async (isp) => {
    await until('both answer so', () => everywhere(isp, OWN[isp]));
    const { stdout } = await lab.client(isp).exec('curl', ['-sS', `http://${OWN[isp]}/`]);
    expect(stdout).toContain(`saw ${lab.client(isp).address}`);
  });

  test('a resolver elsewhere is told by the client that it asks for (ECS)', async () => {
    const subnet = `+subnet=${lab.client('unicom').address}/32`;
    expect(await ask('telecom', DNS_EIPS[0], subnet)).toBe(OWN.unicom);
  });
});

test('an endpoint dies: its clients overflow, the others do not; and it comes back', async () => {
  await lab.stopServer(lab.vm(1));
  await until('telecom is told the next', () => everywhere('telecom', OWN.unicom));
  expect(await ask('mobile')).toBe(OWN.mobile);
  const { stdout } = await lab.edgectl(
    'health',
    'list',
    '--json',
    '--socket',
    lab.dns(1).socketPath,
  );
  expect(stdout).toContain('"down"');
  await lab.startServer(lab.vm(1));
  await until('telecom is told its own', () => everywhere('telecom', OWN.telecom));
});

test('Redis is away: both go on, and follow health by themselves', async () => {
  lab.redis.freeze();
  expect(await ask('unicom')).toBe(OWN.unicom);
  await lab.stopServer(lab.vm(2));
  await until('unicom is told the next', () => everywhere('unicom', OWN.telecom), {
    timeoutMs: 30_000,
  });
  await lab.startServer(lab.vm(2));
  lab.redis.thaw();
  await until('unicom is told its own', () => everywhere('unicom', OWN.unicom), {
    timeoutMs: 30_000,
  });
}, 90_000);

test('one is killed: the other answers, and it is as before when it is back', async () => {
  await lab.dns(1).kill9();
  expect(await ask('mobile', DNS_EIPS[1])).toBe(OWN.mobile);
  await lab.dns(1).start();
  expect(await everywhere('mobile', OWN.mobile)).toBe(true);
});
