// The frame of a daemon that has a store, a service that follows it, and the verbs that all of
// them have. What is left to a daemon.ts is how its own service is made and shown.
import { hostname } from 'node:os';
import type { ControlRoute } from './admin/control.ts';
import type { CommonSettings, DaemonContext, DaemonDefinition, DaemonService } from './daemon.ts';
import type { DaemonCommand } from './daemon-flags.ts';
import { DaemonStore, type Machine, refuseChanged } from './daemon-store.ts';
import { type ErrorCode, OperationalError } from './errors.ts';
import type { Part } from './lifecycle.ts';
import type { EventTable } from './log.ts';
import { formatEndpoint, publicEndpoint } from './net/ports.ts';
import type { Check } from './presence.ts';
import { type StoreEvent, storeEvents } from './store/events.ts';
import type { StoreSetting } from './store/settings.ts';

export type StoreSettings = CommonSettings & StoreSetting & { stateDirectory: string };

/** What runs, as far as the frame needs it. */
export type Service = {
  readonly state: string;
  start(signal: AbortSignal): Promise<void>;
  drain?(signal: AbortSignal): void | Promise<void>;
  stop(): Promise<void>;
  checks(): readonly Check[];
  /** Asked by an operator at the control socket. */
  setDrain(asked: boolean): void;
  /** What looks like a mistake in the store is meant: it is followed again. */
  confirm(): void;
};

export type ServiceContext<Config, Event extends string> = DaemonContext<
  Config,
  Event | StoreEvent
> &
  Machine & {
    store: DaemonStore;
    /** Its admin pages as other hosts reach them; empty where they do not. */
    address: { address?: string };
  };

/** What is made when the daemon is built; `create` and what uses the store only once it is open. */
export type Built<Config, Running extends Service> = Pick<
  DaemonService<Config>,
  'status' | 'statusJson' | 'pages' | 'routes'
> & {
  create(): Running;
  reload(running: Running, next: Config): void | Promise<void>;
  /** Once the store is open, and before it is closed. */
  opened?(): void;
  closing?(): Promise<void>;
  /** Besides the store and the service, after them. */
  parts?: readonly Part[];
};

export type ServiceFrame<
  Config extends StoreSettings,
  Events extends EventTable,
  Running extends Service,
> = DaemonCommand & {
  events: Events;
  codes: { state: ErrorCode; restart: ErrorCode; starting: ErrorCode };
  /** What goes on while the daemon is restarted. */
  restartRemedy: string;
  /** What it has to have before all else, as its check is called. */
  firstCheck: string;
  /** The settings that a running daemon takes over. */
  reloadable: readonly (keyof Config & string)[];
  /** An embedded store syncs every write: they are promises. */
  syncsEveryWrite?: true;
  load(file: string, hostname: string): Config;
  print(config: Config): string;
  build(
    context: ServiceContext<Config, keyof Events & string>,
    running: () => Running | undefined,
  ): Built<Config, Running>;
};

/** The definition of a daemon for runDaemon(). */
export function serviceDaemon<
  Config extends StoreSettings,
  const Events extends EventTable,
  Running extends Service,
>(
  frame: ServiceFrame<Config, Events, Running>,
  machine: Machine,
): DaemonDefinition<Config, Events & typeof storeEvents> {
  const { service, description, switches, events } = frame;
  return {
    service,
    description,
    ...(switches === undefined ? {} : { switches }),
    events: { ...storeEvents, ...events },
    load: (file) => frame.load(file, hostname()),
    print: (config) => frame.print(config),
    build: (context) => build(frame, { ...context, ...machine }),
  };
}

function build<Config extends StoreSettings, Events extends EventTable, Running extends Service>(
  frame: ServiceFrame<Config, Events, Running>,
  context: DaemonContext<Config, (keyof Events & string) | StoreEvent> & Machine,
): DaemonService<Config> {
  const { service, codes, firstCheck, syncsEveryWrite } = frame;
  const { config } = context;
  const store = new DaemonStore({
    ...context,
    service,
    stateCode: codes.state,
    ...(syncsEveryWrite === undefined ? {} : { syncsEveryWrite }),
  });
  let running: Running | undefined;
  const reached = publicEndpoint(config.admin.listen, hostname());
  const address = reached === undefined ? {} : { address: formatEndpoint(reached) };
  const built = frame.build({ ...context, store, address }, () => running);
  const remedy = `restart the daemon; ${frame.restartRemedy}`;
  return {
    ...built,
    parts: [
      storePart(store, built),
      {
        name: service,
        async start(signal) {
          running = built.create();
          await running.start(signal);
        },
        drain: (signal) => running?.drain?.(signal),
        stop: async () => running?.stop(),
      },
      ...(built.parts ?? []),
    ],
    checks: () => running?.checks() ?? [{ name: firstCheck, problem: 'starting' }],
    routes: [...built.routes, ...commonRoutes(() => running, codes.starting)],
    async reload(next) {
      refuseChanged(config, next, needsRestart(frame, config), { code: codes.restart, remedy });
      if (running !== undefined) await built.reload(running, next);
    },
  };
}

function storePart(
  store: DaemonStore,
  { opened, closing }: Pick<Built<never, never>, 'opened' | 'closing'>,
): Part {
  return {
    name: 'store',
    async start() {
      await store.start();
      opened?.();
    },
    async stop() {
      await closing?.();
      await store.stop();
    },
  };
}

function needsRestart<Config extends object>(
  { reloadable }: { reloadable: readonly (keyof Config & string)[] },
  config: Config,
): (keyof Config & string)[] {
  const keys = Object.keys(config) as (keyof Config & string)[]; // a strict object's own
  return keys.filter((each) => !reloadable.includes(each));
}

function commonRoutes(found: () => Service | undefined, starting: ErrorCode): ControlRoute[] {
  const running = (): Service => {
    const service = found();
    if (service !== undefined) return service;
    throw new OperationalError(starting, 'the daemon is starting', {
      remedy: 'wait until it is ready, see its log',
    });
  };
  const setDrain = (asked: boolean): unknown => {
    const service = running();
    service.setDrain(asked);
    return { state: service.state };
  };
  const confirm = (): unknown => {
    running().confirm();
    return {};
  };
  return [
    { method: 'POST', path: '/drain', handle: () => setDrain(true) },
    { method: 'POST', path: '/undrain', handle: () => setDrain(false) },
    { method: 'POST', path: '/confirm', handle: confirm },
  ];
}
