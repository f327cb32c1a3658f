import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import { sendUnixDatagram } from '../../../../shared/bpf/libc.ts';
import { needs, program } from '../../../support/skip.ts';

const scratch = mkdtempSync(join(tmpdir(), 'edge-datagram-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const isAbstractBound = (name: string) =>
  readFileSync('/proc/net/unix', 'utf8').includes(`@${name}`);

describe('a datagram to a unix socket', () => {
  const abstract = `edge-${process.pid}`;
  const path = join(scratch, 'notify');

  test.for([
    { to: path, listen: `UNIX-RECV:${path}`, bound: () => existsSync(path) },
    {
      to: `@${abstract}`,
      listen: `ABSTRACT-RECV:${abstract}`,
      bound: () => isAbstractBound(abstract),
    },
  ])('arrives whole: $to', async ({ to, listen, bound }, context) => {
    needs(context, program('socat'));
    const socat = spawn('socat', ['-u', listen, 'STDOUT'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await until(`socat listens on ${to}`, bound, { timeoutMs: 5000 });
      const received = once(socat.stdout, 'data');
      sendUnixDatagram(to, Buffer.from('READY=1\nSTATUS=forwarding'));
      expect(String((await received)[0])).toBe('READY=1\nSTATUS=forwarding');
    } finally {
      socat.kill();
      await text(socat.stdout);
    }
  });

  test('that nobody hears is an error', () => {
    const send = () => sendUnixDatagram(join(scratch, 'nobody'), Buffer.from('x'));
    expect(send).toThrow(expect.objectContaining({ code: 'EDGE_DATAGRAM', errno: 'ENOENT' }));
    const tooLong = () => sendUnixDatagram('/x'.repeat(60), Buffer.from('x'));
    expect(tooLong).toThrow(RangeError);
  });
});
