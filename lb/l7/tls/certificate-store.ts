// Certificates of a worker, and the secure contexts that are made of them. What is unchanged by a
// reload keeps its context; a certificate that is no good any more leaves the one before in force.
import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Listener } from '../../../shared/site/lb-objects.ts';
import {
  type CertificateProblem,
  type CertificateSource,
  type LoadedCertificate,
  loadCertificate,
  secondsLeft,
} from './certificate.ts';
import { ServerNames } from './server-names.ts';
import { TICKET_SECONDS, ticketScope } from './ticket-keys.ts';

/** Of a listener: which context a client gets. */
export type ContextChoice = {
  /** Without SNI, and for names that no certificate has; node:tls makes that context itself. */
  initial: SecureContextOptions;
  /** Equal: `initial` is made of the same. */
  initialKey: string;
  /** Undefined: the initial one. */
  find(serverName: string): SecureContext | undefined;
};

/** One certificate of each type of key: the client's handshake says which it takes. */
type Group = readonly LoadedCertificate[];
type Made = { context: SecureContext; group: Group };

export class CertificateStore {
  #certificates = new Map<string, LoadedCertificate>();
  /** By listener's terms, and by what they are made of. */
  #contexts = new Map<string, Map<string, Made>>();

  /** What is wrong with some of them; of those the ones before stay. */
  update(
    sources: readonly CertificateSource[],
    listeners: readonly Listener[],
  ): readonly CertificateProblem[] {
    const problems: CertificateProblem[] = [];
    const next = new Map<string, LoadedCertificate>();
    for (const source of sources) {
      const before = this.#certificates.get(source.name);
      const isSame = before?.chain === source.chain && before.key === source.key;
      const loaded = isSame ? before : loadCertificate(source);
      if (!('message' in loaded)) next.set(source.name, loaded);
      else {
        problems.push(loaded);
        if (before !== undefined) next.set(source.name, before);
      }
    }
    this.#certificates = next;
    this.#letGo(new Set(listeners.map(terms)));
    return problems;
  }

  /** Undefined: none of the listener's certificates is there. */
  choiceFor(listener: Listener): ContextChoice | undefined {
    const own = listener.certificates.flatMap((name) => this.#certificates.get(name) ?? []);
    const [first] = own;
    if (first === undefined) return undefined;
    const groups = new ServerNames<Group>();
    for (const certificate of own) {
      for (const name of certificate.names) {
        groups.set(name, joined(groups.get(name) ?? [], certificate));
      }
    }
    const initial = own.filter((each) => sameNames(each, first)).reduce(joined, [] as Group);
    const initialKey = `${terms(listener)} ${keyOf(initial)}`;
    return {
      initial: contextOptions(initial, listener),
      initialKey,
      find: (serverName) => {
        const group = groups.find(serverName);
        if (group === undefined || keyOf(group) === keyOf(initial)) return undefined;
        return this.#contextOf(group, listener);
      },
    };
  }

  /** For the metric and the status page. */
  get certificates(): readonly LoadedCertificate[] {
    return [...this.#certificates.values()];
  }

  /** Seconds until each ends, by its name. */
  secondsLeft(nowMs: number): ReadonlyMap<string, number> {
    return new Map(this.certificates.map((each) => [each.name, secondsLeft(each, nowMs)]));
  }

  get contexts(): number {
    return [...this.#contexts.values()].reduce((sum, own) => sum + own.size, 0);
  }

  #contextOf(group: Group, listener: Listener): SecureContext {
    const own = this.#contexts.get(terms(listener)) ?? new Map<string, Made>();
    this.#contexts.set(terms(listener), own);
    const key = keyOf(group);
    const known = own.get(key);
    if (known !== undefined) return known.context;
    const context = createSecureContext(contextOptions(group, listener));
    own.set(key, { context, group });
    return context;
  }

  /** Contexts of listeners that are gone, or of certificates that are. */
  #letGo(kept: ReadonlySet<string>): void {
    const there = new Set(this.#certificates.values());
    for (const [key, own] of this.#contexts) {
      if (!kept.has(key)) this.#contexts.delete(key);
      for (const [of, { group }] of own)
        if (!group.every((each) => there.has(each))) own.delete(of);
    }
  }
}

function keyOf(group: Group): string {
  return group.map(({ digest }) => digest).join();
}

function terms(listener: Listener): string {
  return `${listener.minTls} ${ticketScope(listener)}`;
}

function contextOptions(group: Group, listener: Listener): SecureContextOptions {
  const { clientCa, minTls } = listener;
  return {
    cert: group.map(({ chain }) => chain), // one of each type of key: OpenSSL picks by handshake
    key: group.map(({ key }) => key),
    ...(clientCa === undefined ? {} : { ca: clientCa }),
    minVersion: minTls === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
    sessionIdContext: ticketScope(listener),
    sessionTimeout: TICKET_SECONDS,
    // A renegotiation costs us much more than who asks for it (CVE-2011-1473).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    honorCipherOrder: true,
  };
}

/** With one more; the first of a type of key stays. */
function joined(group: Group, certificate: LoadedCertificate): Group {
  const isThere = group.some(({ keyType }) => keyType === certificate.keyType);
  return isThere ? group : [...group, certificate];
}

function sameNames(one: LoadedCertificate, other: LoadedCertificate): boolean {
  return one === other || (one.names.length > 0 && one.names.join() === other.names.join());
}
