// What a site's certificates say that cannot be, or is most likely not as it was meant: here, where
// they can be read, and not in the site's own checks, which know them as text alone.
import type { SiteProblem } from '../site/check.ts';
import { hostMatches } from '../site/host-pattern.ts';
import type { SiteObject } from '../site/kinds.ts';
import { LbIndex } from '../site/lb-index.ts';
import type { Listener } from '../site/lb-objects.ts';
import { formatMoment } from '../site/moment.ts';
import { certificatesOf, factsOf } from './certificates.ts';

type Text = Pick<SiteProblem, 'kind' | 'id' | 'at'> & { pem: string };

/** Every text of certificates, and where it is written. */
function textsOf(objects: readonly SiteObject[]): Text[] {
  return objects.flatMap((item): Text[] => {
    if (item.kind === 'certificate') {
      return [{ kind: item.kind, id: item.object.name, pem: item.object.chain, at: ['chain'] }];
    }
    if (item.kind === 'listener' && item.object.clientCa !== undefined) {
      const { name, clientCa } = item.object;
      return [{ kind: item.kind, id: name, pem: clientCa, at: ['clientCa'] }];
    }
    const ca = item.kind === 'pool' ? item.object.proxy?.tls?.ca : undefined;
    if (item.kind !== 'pool' || ca === undefined) return [];
    return [{ kind: item.kind, id: item.object.name, pem: ca, at: ['proxy', 'tls', 'ca'] }];
  });
}

/** What X.509 does not know. */
export function certificateProblems(objects: readonly SiteObject[]): SiteProblem[] {
  return textsOf(objects).flatMap(({ pem, ...place }) => {
    const all = certificatesOf(pem);
    const bad = all.indexOf(undefined);
    if (bad < 0) return [];
    const which = all.length === 1 ? 'the certificate' : `certificate ${bad + 1}`;
    return [{ ...place, message: `${which} cannot be read: its content is not X.509` }];
  });
}

export function certificateWarnings(objects: readonly SiteObject[], nowMs: number): SiteProblem[] {
  const texts = textsOf(objects);
  if (texts.length === 0) return [];
  const warnings = texts.flatMap((text) => [...warnTimes(text, nowMs), ...warnOrder(text)]);
  return [...warnings, ...warnHosts(LbIndex.of(objects))];
}

function warnTimes({ pem, ...place }: Text, nowMs: number): SiteProblem[] {
  const facts = factsOf(pem);
  if (facts === undefined) return [];
  const { fromMs, untilMs } = facts;
  if (nowMs >= untilMs) return [{ ...place, message: `is over since ${formatMoment(untilMs)}` }];
  return nowMs < fromMs ? [{ ...place, message: `begins only at ${formatMoment(fromMs)}` }] : [];
}

/** Of a chain each is signed by the next (RFC 8446, 4.4.2). */
function warnOrder({ pem, kind, ...place }: Text): SiteProblem[] {
  if (kind !== 'certificate') return [];
  const all = certificatesOf(pem);
  const wrong = all.findIndex((each, index) => {
    const next = all[index + 1];
    return each !== undefined && next !== undefined && !each.checkIssued(next);
  });
  if (wrong < 0) return [];
  const message = `certificate ${wrong + 1} of the chain is not signed by the next one`;
  const remedy = 'first the one for the names, then the one that signed it, and so on';
  return [{ kind, ...place, message, remedy }];
}

/** Hosts of routes for which clients would refuse every certificate that the listener has. */
function warnHosts(site: LbIndex): SiteProblem[] {
  const names = new Map([...site.certificates].map(([name, { chain }]) => [name, factsOf(chain)]));
  const covers = (listener: Listener, host: string) =>
    listener.certificates.some((name) => {
      return names.get(name)?.names.some((pattern) => isFor(pattern.toLowerCase(), host)) ?? true;
    });
  return site.routes.flatMap((route): SiteProblem[] => {
    const encrypted = site.listenersOf(route).filter(({ protocol }) => protocol === 'https');
    return route.hosts.flatMap((host, index): SiteProblem[] => {
      const lacking = encrypted.find((listener) => !covers(listener, host));
      if (lacking === undefined) return [];
      const message = `no certificate of listener ${lacking.name} is for ${host}`;
      return [{ kind: 'route', id: route.name, message, at: ['hosts', index] }];
    });
  });
}

/** A wildcard of a certificate is one label (RFC 9525, 6.3). */
function isFor(pattern: string, host: string): boolean {
  if (pattern === host) return true;
  const isOneLabel = host.split('.').length === pattern.split('.').length;
  return !host.startsWith('*.') && isOneLabel && hostMatches(pattern, host);
}
