// What the lab's lbs serve: www of each ISP by a VIP of its own, L4 on port 80 and L7 with TLS on
// 443; direct returns; dns; and the other services' pages.
import { LAB_ZONE } from './dns.ts';
import { LB_TARGET, labCertificate, VIPS } from './lb.ts';
import type { LabNode } from './node.ts';
import type { Run } from './run.ts';

export const WWW = `www.${LAB_ZONE}`;
/** Inside, for operators. */
export const OPS_PORT = 9180;

export type Balanced = {
  vms: readonly LabNode[];
  natters: readonly LabNode[];
  dhcpds: readonly LabNode[];
  dnses: readonly LabNode[];
};

const SECOND = { interval: '1s', timeout: '500ms', rise: 2, fall: 2 };

export function lbObjects(run: Run, { vms, natters, dhcpds, dnses }: Balanced) {
  const webs = LB_TARGET.http.map((port, at) => ({
    name: `web-${at + 1}`,
    targets: vms.map(({ address }) => ({ address, port })),
  }));
  const services = [
    { name: 'natters', nodes: natters, port: 9101 },
    { name: 'dhcpds', nodes: dhcpds, port: 9102 },
    { name: 'dnses', nodes: dnses, port: 9103 },
  ].filter(({ nodes }) => nodes.length > 0);
  const check = { type: 'http', path: '/', ...SECOND };
  return {
    pools: [
      ...webs.map((web) => ({ ...web, check, proxy: { algorithm: 'least-requests' } })),
      {
        name: 'echo',
        targets: vms.map(({ address }) => ({ address, port: LB_TARGET.echo })),
        check: { type: 'icmp', ...SECOND },
      },
      {
        name: 'direct',
        targets: vms.map(({ address }) => ({ address })),
        check: { type: 'tcp', port: 80, ...SECOND },
      },
      ...services.map(({ name, nodes, port }) => ({
        name,
        targets: nodes.map(({ address }) => ({ address, port })),
        check: { type: 'readyz', ...SECOND },
      })),
    ],
    vservers: [
      ...VIPS.isps.map((vip, at) => ({ at: `${vip}:80/tcp`, pool: `web-${at + 1}` })),
      { at: `${VIPS.isps[0]}:7/udp`, pool: 'echo' },
      { at: `${VIPS.direct}:80/tcp`, pool: 'direct', mode: 'dsr' },
    ],
    certificates: [{ name: 'www', chain: labCertificate(run, 'www', [WWW]) }],
    listeners: [
      { name: 'secure', at: '0.0.0.0:443', protocol: 'https', certificates: ['www'] },
      { name: 'ops', at: `0.0.0.0:${OPS_PORT}`, protocol: 'http', allow: ['10.0.0.0/8'] },
    ],
    routes: [
      { name: 'www', listeners: ['secure'], hosts: [WWW], pool: 'web-1' },
      ...services.map(({ name }) => ({
        name,
        listeners: ['ops'],
        paths: [`/${name}`],
        pool: name,
        rewritePath: '/',
      })),
    ],
  };
}

/** www, each ISP's clients told the VIP that is theirs. */
export function wwwObjects() {
  const [telecom, unicom, mobile] = VIPS.isps;
  const isps = Object.entries({ telecom, unicom, mobile });
  const check = { type: 'http', port: 80, path: '/', ...SECOND };
  return {
    pools: isps.map(([isp, address]) => ({ name: `vip-${isp}`, targets: [{ address }], check })),
    records: [
      {
        name: WWW,
        type: 'A',
        ttl: '30s',
        minTtl: '1s',
        lines: {
          ...Object.fromEntries(isps.map(([isp]) => [isp, { pool: `vip-${isp}` }])),
          default: { sources: isps.map(([isp]) => ({ pool: `vip-${isp}` })) },
        },
      },
    ],
  };
}
