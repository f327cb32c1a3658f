// A real console over a real dns and a real Redis, looked at with a real browser.
import { request } from 'node:http';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { DaemonRig } from '../support/daemon-rig.ts';

const CHROMIUM = '/usr/bin/chromium';
const [DNS_ADMIN, CONSOLE_ADMIN, PAGE, DNS_PORT] = [9313, 9315, 9380, 5313];
const base = `http://127.0.0.1:${PAGE}`;
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const dns = new DaemonRig('dns', DNS_ADMIN);
const own = new DaemonRig('console', CONSOLE_ADMIN);
let browser: Browser;

beforeAll(async () => {
  await dns.openRedis();
  const common = (rig: DaemonRig, admin: number) => ({
    store: dns.redis.url,
    stateDirectory: rig.directory,
    admin: { listen: `127.0.0.1:${admin}` },
    control: { socket: rig.socket },
  });
  dns.config = {
    ...common(dns, DNS_ADMIN),
    node: 'dns-1',
    listen: [`127.0.0.1:${DNS_PORT}`],
    workers: 1,
  };
  const member = (service: string, node: string, port: number) => ({
    service,
    node,
    address: `127.0.0.1:${port}`,
  });
  own.config = {
    ...common(own, CONSOLE_ADMIN),
    node: 'console-1',
    listen: `127.0.0.1:${PAGE}`,
    interval: '1s',
    members: [member('dns', 'dns-1', DNS_ADMIN), member('lb', 'gone', 1)],
  };
  const eip = { kind: 'eip', id: '198.51.100.7', value: '{"private":"10.0.0.5"}' };
  await dns.store.apply('natter', [eip]);
  await Promise.all([dns.start(), own.start()]);
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: flags,
  });
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await own.down();
  await dns.down();
}, 30_000);

/** A page, and what went wrong in it. */
async function open(path: string, width = 1280): Promise<{ page: Page; wrong: string[] }> {
  const page = await browser.newPage();
  const wrong: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('requestfailed', (request) => wrong.push(`${request.url()} failed`));
  await page.setViewportSize({ width, height: 800 });
  await page.goto(`${base}${path}`, { waitUntil: 'load' });
  return { page, wrong };
}

const json = async (path: string): Promise<Record<string, unknown>> =>
  (await fetch(`${base}${path}`)).json() as Promise<Record<string, unknown>>; // our own page

/** Drawn by uPlot from the second round on. */
const drawn = (page: Page) =>
  until('plots', async () => (await page.locator('canvas').count()) > 2);

describe('the page', () => {
  test('has a section for what is deployed, and names what is wrong, worst first', async () => {
    await until('dns to be seen', async () => {
      const { rows } = await json('/nodes.json');
      return (
        (rows as { node: string; state: string }[])[0]?.node !== undefined &&
        JSON.stringify(rows).includes('"running"')
      );
    });
    const { page, wrong } = await open('/');
    await drawn(page);
    const ids = await page.evaluate(
      "[...document.querySelectorAll('main > section')].map(({ id }) => id)",
    );
    expect(ids).toEqual(['now', 'nodes', 'eips', 'pools', 'dns', 'lb', 'store', 'events']);
    expect(await page.locator('.problems li').first().textContent()).toContain('no natter runs');
    expect(await page.locator('#nodes').textContent()).toContain('gone');
    expect(await page.locator('#nodes').textContent()).toContain('cannot be read');
    expect(await page.locator('#events').textContent()).toContain('state-changed');
    expect(wrong).toEqual([]);
    await page.close();
  }, 30_000);

  test('renews itself and keeps the place', async () => {
    const { page, wrong } = await open('/');
    await drawn(page);
    await page.evaluate('scrollTo({ top: 300, behavior: "instant" })');
    const at = await page.locator('.at').textContent();
    await until('a new round', async () => (await page.locator('.at').textContent()) !== at);
    expect(await page.evaluate('scrollY')).toBe(300);
    expect(wrong).toEqual([]);
    await page.close();
  }, 30_000);

  test.each(['light', 'dark'])(
    'theme %s, on a phone: nothing is wider than the screen',
    async (theme) => {
      const { page, wrong } = await open(`/?theme=${theme}`, 380);
      await drawn(page);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(380);
      const colour = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      expect(colour).toBe(theme === 'dark' ? 'rgb(13, 17, 23)' : 'rgb(244, 246, 249)');
      expect(wrong).toEqual([]);
      await page.close();
    },
    30_000,
  );

  test('without scripts has its tables, plots as pictures, and links that filter', async () => {
    const page = await browser.newPage({ javaScriptEnabled: false });
    await page.goto(`${base}/?level=error&theme=dark`);
    expect(await page.locator('svg.lines').count()).toBeGreaterThan(2);
    expect(await page.locator('#nodes tbody tr').count()).toBe(3);
    expect(await page.locator('.filter b').textContent()).toBe('error');
    const href = await page.locator('.filter a').last().getAttribute('href');
    expect(href).toBe('/?theme=dark&level=warn#events');
    await page.close();
  });

  test('every JSON that is linked is there, with its rows', async () => {
    const { page } = await open('/');
    const links = (await page.evaluate(
      "[...document.querySelectorAll('a.json')].map((each) => each.getAttribute('href'))",
    )) as string[]; // what the expression says
    expect(links.length).toBeGreaterThan(10);
    for (const link of links) expect(await json(link), link).toHaveProperty('at');
    const { rows } = (await json('/units.json')) as { rows: unknown[] };
    expect(rows).toContainEqual(
      expect.objectContaining({ unit: 'natter', objects: 1, version: 1 }),
    );
    await page.close();
  });

  test('is read-only, and is nobody’s page by a name', async () => {
    expect((await fetch(base, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${base}/../../etc/passwd`)).status).toBe(404);
    const status = await new Promise((resolve, reject) => {
      const asked = request(`${base}/`, { headers: { Host: 'evil.example' } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      asked.on('error', reject).end();
    });
    expect(status).toBe(421);
  });
});
