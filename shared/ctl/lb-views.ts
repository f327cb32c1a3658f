// The columns of each kind of object of lb.

import type {
  Certificate,
  Listener,
  Route,
  RouteAction,
  VirtualServer,
} from '../site/lb-objects.ts';
import { formatMoment } from '../site/moment.ts';
import { formatVserverAt } from '../site/vserver.ts';
import { type CertificateFacts, factsOf } from './certificates.ts';
import { someNames } from './names.ts';
import type { Column } from './table.ts';

export const VSERVER_COLUMNS: readonly Column<VirtualServer>[] = [
  { title: 'VSERVER', value: formatVserverAt },
  { title: 'POOL', value: (row) => row.pool },
  { title: 'MODE', value: (row) => row.mode },
  { title: 'HASH', value: (row) => row.hash },
  { title: 'LOST', value: (row) => row.lost },
];

export const LISTENER_COLUMNS: readonly Column<Listener>[] = [
  { title: 'LISTENER', value: (row) => row.name },
  { title: 'AT', value: (row) => someNames(row.at) },
  { title: 'PROTOCOL', value: (row) => row.protocol },
  { title: 'CERTIFICATES', value: (row) => someNames(row.certificates) },
  { title: 'POOL', value: listenerPools },
];

/** Where requests go is said by routes. */
function listenerPools({ pool, names }: Listener): string {
  const named = names.map(({ name, pool: to }) => `${name}: ${to}`);
  return someNames(pool === undefined ? named : [...named, pool]);
}

export const ROUTE_COLUMNS: readonly Column<Route>[] = [
  { title: 'ROUTE', value: (row) => row.name },
  { title: 'LISTENERS', value: (row) => someNames(row.listeners) },
  { title: 'HOSTS', value: (row) => someNames(row.hosts) },
  { title: 'PATHS', value: (row) => someNames(row.paths) },
  { title: 'WHEN', value: conditionsText },
  { title: 'ACTION', value: ({ action }) => actionText(action) },
];

function conditionsText({ methods, headers }: Route): string {
  const named = headers.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`));
  return [...methods, ...named].join(' ');
}

export function actionText(action: RouteAction): string {
  if (action.kind === 'pool') return `pool ${action.pool}`;
  if (action.kind === 'redirect') return `${action.status} to ${action.to}`;
  return `answer ${action.status}`;
}

export type CertificateRow = Certificate & { facts: CertificateFacts | undefined };

export function certificateRows(certificates: readonly Certificate[]): CertificateRow[] {
  return certificates.map((each) => ({ ...each, facts: factsOf(each.chain) }));
}

export const CERTIFICATE_COLUMNS: readonly Column<CertificateRow>[] = [
  { title: 'CERTIFICATE', value: (row) => row.name },
  {
    title: 'NAMES',
    value: ({ facts }) => (facts === undefined ? 'unreadable' : someNames(facts.names)),
  },
  { title: 'UNTIL', value: ({ facts }) => facts && formatMoment(facts.untilMs) },
  { title: 'CHAIN', right: true, value: ({ facts }) => facts?.count },
  { title: 'SHA-256', value: ({ facts }) => facts?.fingerprint },
];
