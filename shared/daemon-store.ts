// The store of a daemon, from its settings to an open connection: the state directory, a Redis of
// its own where the settings say `embedded`, and what of them a running daemon cannot take over.
import { mkdirSync } from 'node:fs';
import type { DaemonIo } from './daemon.ts';
import { type ErrorCode, isDenied, OperationalError } from './errors.ts';
import { type EmbeddedOptions, EmbeddedServer } from './store/embedded.ts';
import { openStore, type StoreConfig } from './store/open.ts';
import { credentialsOf, isEmbedded, type StoreSetting } from './store/settings.ts';
import type { Store } from './store/types.ts';

type StoreSettings = StoreSetting & { node: string; stateDirectory: string };

/** This process, as far as a daemon with a store needs it: `owner` is that of an embedded one. */
export type Machine = Pick<DaemonIo, 'monotonicMicroseconds'> & Pick<EmbeddedOptions, 'owner'>;

export type DaemonStoreOptions = Omit<EmbeddedOptions, 'stateDirectory'> & {
  service: string;
  config: StoreSettings;
  /** Of the error that says that the state directory cannot be made. */
  stateCode: ErrorCode;
};

/** To be a part of the daemon, before all that use it. */
export class DaemonStore {
  readonly #options: DaemonStoreOptions;
  readonly #embedded: EmbeddedServer | undefined;
  #store: Store | undefined;

  constructor(options: DaemonStoreOptions) {
    const { config } = options;
    this.#options = options;
    this.#embedded = isEmbedded(config)
      ? new EmbeddedServer({ ...options, stateDirectory: config.stateDirectory })
      : undefined;
  }

  async start(): Promise<void> {
    const { config, stateCode } = this.#options;
    makeStateDirectory(config.stateDirectory, stateCode);
    await this.#embedded?.start();
    this.#store = openStore(this.at);
  }

  async stop(): Promise<void> {
    await this.#store?.close();
    await this.#embedded?.stop();
  }

  /** Where it is, for connections besides the store's. */
  get at(): StoreConfig {
    const { service, config } = this.#options;
    const given = typeof config.store === 'string' ? { url: config.store } : config.store;
    const url = this.#embedded?.url ?? given.url;
    return { ...credentialsOf(given), url, clientName: `${service}:${config.node}` };
  }

  get opened(): Store {
    if (this.#store === undefined) throw new Error('the store was not started');
    return this.#store;
  }
}

function makeStateDirectory(path: string, code: ErrorCode): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new OperationalError(code, `${path} cannot be made`, {
      cause,
      exitCode: isDenied(cause) ? 77 : 1,
      remedy: 'make it, owned by the user of the daemon, or choose another stateDirectory',
    });
  }
}

/** Throws `error` of the settings among `keys` that a reload would change. */
export function refuseChanged<Config extends object>(
  running: Config,
  next: Config,
  keys: readonly (keyof Config & string)[],
  error: { code: ErrorCode; remedy: string },
): void {
  const changed = keys.filter((key) => {
    return JSON.stringify(running[key]) !== JSON.stringify(next[key]);
  });
  if (changed.length === 0) return;
  const { code, remedy } = error;
  throw new OperationalError(code, `${changed.join(', ')} cannot be reloaded`, { remedy });
}
