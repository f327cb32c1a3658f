// What the cases of REQUEST stand on: a small network, two addresses of it, and the three kinds of
// REQUEST that RFC 2131 §4.3.2 tells apart.
import { request } from './request.ts';
import { bind, MAC, macOf } from './server-case.ts';
import { Rig, SERVER } from './server-rig.ts';

export const lan = { prefix: '10.0.0.0/24', pools: ['10.0.0.10-10.0.0.12'] };
export const small = { subnets: [lan] };
export const strict = { subnets: [{ ...lan, authoritative: true }] };
export const two = { mac: MAC.two };
export const x = '10.0.0.10';
export const y = '10.0.0.11';

export const reserve = (at: string, by: object = { by: 'mac', mac: macOf(MAC.one) }) =>
  ({ ...small, reservations: [{ at, ...by } as never] }) as const;

/** The plan changes while clients hold addresses. */
export async function becomes(rig: Rig, plan: ReturnType<typeof reserve>): Promise<void> {
  await bind(rig);
  rig.plan = new Rig({ plan }).plan;
}

export const select = (requested: string, serverId = SERVER, fields = {}) =>
  request({ requested, serverId, ...fields });
export const reboot = (requested: string, fields = {}) => request({ requested, ...fields });
export const renew = (fields = {}) => request({ ciaddr: x, ...fields });
