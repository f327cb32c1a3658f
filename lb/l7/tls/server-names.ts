// Which certificate a server name is served by (RFC 6125, 6.4): an exact name, else a wildcard that
// stands for its first label, else none. Pure.

/** Lower case, without a final dot. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

/** `a.example.com` or `*.example.com`; a star anywhere else is no name that serves anybody. */
export function isServerName(name: string): boolean {
  const rest = name.startsWith('*.') ? name.slice(2) : name;
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(rest);
}

export class ServerNames<T> {
  readonly #exact = new Map<string, T>();
  /** By what is behind the star and its dot. */
  readonly #wildcards = new Map<string, T>();

  set(name: string, value: T): void {
    if (name.startsWith('*.')) this.#wildcards.set(name.slice(2), value);
    else this.#exact.set(name, value);
  }

  get(name: string): T | undefined {
    return name.startsWith('*.') ? this.#wildcards.get(name.slice(2)) : this.#exact.get(name);
  }

  /** `serverName` as the client wrote it. */
  find(serverName: string): T | undefined {
    const name = canonicalName(serverName);
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return dot <= 0 ? undefined : this.#wildcards.get(name.slice(dot + 1));
  }
}
