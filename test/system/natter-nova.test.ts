// `source: nova` against a real MariaDB with the two tables that it reads.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NovaSource } from '../../natter/nova-source.ts';
import { systemClock } from '../../shared/clock.ts';
import { OperationalError } from '../../shared/errors.ts';
import { silentLog } from '../../shared/log.ts';
import { systemRandom } from '../../shared/random.ts';
import { MemoryServer } from '../../shared/store/memory.ts';
import { TestMariaDb } from '../support/mariadb.ts';

const database = new TestMariaDb();
const store = new MemoryServer({ clock: systemClock }).connect();
let nova: NovaSource;

beforeAll(async () => {
  await database.start();
  await database.run(
    'CREATE DATABASE nova',
    `CREATE TABLE nova.fixed_ips (id INT PRIMARY KEY AUTO_INCREMENT, address VARCHAR(39),
       instance_uuid VARCHAR(36), deleted INT DEFAULT 0)`,
    `CREATE TABLE nova.floating_ips (id INT PRIMARY KEY AUTO_INCREMENT, address VARCHAR(39),
       fixed_ip_id INT, project_id VARCHAR(255), deleted INT DEFAULT 0)`,
    "INSERT INTO nova.fixed_ips (id, address) VALUES (1, '10.0.0.5'), (2, '10.0.0.6')",
    `INSERT INTO nova.floating_ips (address, fixed_ip_id) VALUES
       ('198.51.100.7', 1), ('198.51.100.8', 2), ('198.51.100.9', NULL)`,
    `INSERT INTO nova.floating_ips (address, fixed_ip_id, deleted) VALUES ('198.51.100.10', 1, 4)`,
  );
  nova = new NovaSource({
    config: {
      socket: database.socket,
      host: '127.0.0.1',
      port: 3306,
      user: 'root',
      database: 'nova',
      interval: 1000,
    },
    store,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
});

afterAll(() => database.remove());

async function eips(): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of store.scan('natter')) {
    for (const { id, value } of batch) found.push(`${id} ${value}`);
  }
  return found.sort();
}

test('floating IPs with a fixed one become EIPs, and follow the database', async () => {
  await nova.poll();
  expect(await eips()).toEqual([
    '198.51.100.7 {"private":"10.0.0.5","source":"nova"}',
    '198.51.100.8 {"private":"10.0.0.6","source":"nova"}',
  ]);
  const { version } = await store.head('natter');
  await nova.poll();
  expect((await store.head('natter')).version).toBe(version);

  await database.run(
    "UPDATE nova.floating_ips SET fixed_ip_id = NULL WHERE address = '198.51.100.7'",
    "UPDATE nova.floating_ips SET fixed_ip_id = 1 WHERE address = '198.51.100.9'",
  );
  await nova.poll();
  expect(await eips()).toEqual([
    '198.51.100.8 {"private":"10.0.0.6","source":"nova"}',
    '198.51.100.9 {"private":"10.0.0.5","source":"nova"}',
  ]);
});

test('a database that is down changes nothing, and is asked again', async () => {
  const before = await eips();
  await database.stop();
  const failure = await nova.poll().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(OperationalError);
  expect(failure).toMatchObject({ code: 'EDGE_NATTER_NOVA' });
  expect(await eips()).toEqual(before);
  await database.start();
  await nova.poll();
  expect(await eips()).toEqual(before);
});

test('it polls by itself', async () => {
  await database.run("DELETE FROM nova.floating_ips WHERE address = '198.51.100.9'");
  const { version } = await store.head('natter');
  const changed = store.server.changed(AbortSignal.timeout(20_000));
  nova.start();
  await changed;
  expect((await store.head('natter')).version).toBe(version + 1);
  await nova.stop();
});
