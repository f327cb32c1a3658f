import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../../lab/ready.ts';
import { ManualClock } from '../../../shared/clock.ts';
import { silentLog } from '../../../shared/log.ts';
import { createNotify, type NotifyOptions } from '../../../shared/notify.ts';
import { needs, program } from '../../support/skip.ts';

function setUp(env: Record<string, string>, options: Partial<NotifyOptions> = {}) {
  const sent: string[] = [];
  const clock = new ManualClock();
  const notify = createNotify({
    env,
    pid: 42,
    clock,
    log: silentLog,
    monotonicMicroseconds: () => 123456n,
    send: (path, bytes) => sent.push(`${path} ${new TextDecoder().decode(bytes)}`),
    ...options,
  });
  return { notify, sent, clock };
}

describe('what systemd is told', () => {
  test('states, each in one datagram', () => {
    const { notify, sent } = setUp({ NOTIFY_SOCKET: '/s' });
    notify.ready('100 EIPs\nserved');
    notify.reloading();
    notify.stopping();
    expect(sent).toEqual([
      '/s READY=1\nSTATUS=100 EIPs served\n',
      '/s RELOADING=1\nMONOTONIC_USEC=123456\n',
      '/s STOPPING=1\n',
    ]);
  });

  test('nothing, when nobody asked', () => {
    const { notify, sent } = setUp({});
    notify.ready('x');
    expect(sent).toEqual([]);
  });

  test('a manager that is gone is logged and does not stop the daemon', () => {
    const logged: string[] = [];
    const log = { ...silentLog, warn: (event: string) => void logged.push(event) };
    const send = () => {
      throw new Error('ECONNREFUSED');
    };
    setUp({ NOTIFY_SOCKET: '/s' }, { log, send }).notify.ready('x');
    expect(logged).toEqual(['notify-failed']);
  });

  test('the watchdog is fed at half its time until the end', async () => {
    const env = { NOTIFY_SOCKET: '/s', WATCHDOG_USEC: '2000000', WATCHDOG_PID: '42' };
    const { notify, sent, clock } = setUp(env);
    const end = new AbortController();
    notify.keepWatchdog(end.signal);
    await clock.advance(3000);
    expect(sent).toEqual(Array(4).fill('/s WATCHDOG=1\n'));
    end.abort();
    await clock.advance(3000);
    expect(sent).toHaveLength(4);
  });

  test('a watchdog of another process is not ours', async () => {
    const { notify, sent } = setUp({ NOTIFY_SOCKET: '/s', WATCHDOG_USEC: '1', WATCHDOG_PID: '7' });
    notify.keepWatchdog(new AbortController().signal);
    expect(sent).toEqual([]);
  });
});

describe('over a real datagram socket', () => {
  const directory = mkdtempSync(join(tmpdir(), 'edge-notify-'));
  let receiver: ChildProcess | undefined;
  afterEach(async () => {
    if (receiver === undefined || receiver.exitCode !== null) return;
    const exited = new Promise((resolve) => receiver?.once('exit', resolve));
    receiver.kill();
    await exited;
    rmSync(directory, { recursive: true, force: true });
  });

  test.for([
    ['path', join(directory, 'notify'), 'UNIX-RECV'],
    ['abstract name', `@edge-notify-${process.pid}`, 'ABSTRACT-RECV'],
  ] as const)('by %s', async ([kind, socket, address], context) => {
    needs(context, program('socat'));
    // socat takes the name of an abstract socket without its @.
    const received: string[] = [];
    const child = spawn('socat', ['-u', `${address}:${socket.replace(/^@/, '')}`, 'STDOUT']);
    receiver = child;
    child.stdout.on('data', (data) => received.push(String(data)));
    const notify = createNotify({
      env: { NOTIFY_SOCKET: socket },
      pid: 42,
      clock: new ManualClock(),
      log: silentLog,
      monotonicMicroseconds: () => 1n,
    });
    await until(
      `a datagram by ${kind}`,
      () => {
        if (kind === 'path' && !statSync(socket).isSocket()) return false;
        notify.ready('serving'); // an abstract socket cannot be looked up: say it until it is heard
        return received.length > 0;
      },
      { timeoutMs: 10_000 },
    );
    expect(received.join('').startsWith('READY=1\nSTATUS=serving\n')).toBe(true);
  });
});
