// The smallest daemon that does what every daemon does, for test/unit/shared/daemon.test.ts.
import { z } from 'zod';
import { loadConfig, printConfig } from '../../shared/config/load.ts';
import { type DaemonDefinition, processIo, runDaemon } from '../../shared/daemon.ts';
import { daemonSettings } from '../../shared/daemon-settings.ts';
import { OperationalError } from '../../shared/errors.ts';

const schema = z.strictObject({
  ...daemonSettings({ service: 'fixture', hostname: 'here', adminPort: 0 }),
  greeting: z.string().default('hello'),
});
type Config = z.output<typeof schema>;

const definition: DaemonDefinition<Config, Record<never, never>> = {
  service: 'fixture',
  description: 'Does nothing, the way a daemon does it.',
  switches: { 'fail-start': 'fail in a way that root would not', linger: 'never finish draining' },
  events: {},
  load: (file) => loadConfig({ file, schema }),
  print: (config) => printConfig(schema, config),
  build({ config, switches, state }) {
    let { greeting } = config;
    const statusJson = () => ({ state: state(), greeting });
    return {
      parts: [
        {
          name: 'greeter',
          start() {
            if (!switches.has('fail-start')) return;
            throw new OperationalError('EDGE_FIXTURE', 'may not greet', { exitCode: 77 });
          },
          drain: () => (switches.has('linger') ? new Promise<void>(() => {}) : undefined),
          stop() {},
        },
      ],
      checks: () => [{ name: 'greeter' }],
      status: () => ({
        service: 'fixture',
        node: config.node,
        version: '0',
        state: { text: state(), level: 'ok' },
        facts: [['greeting', greeting]],
        tables: [],
      }),
      statusJson,
      routes: [{ method: 'POST', path: '/greet', handle: () => greeting }],
      reload: (next) => {
        greeting = next.greeting;
      },
    };
  },
};

process.exit(await runDaemon(definition, processIo(process)));
