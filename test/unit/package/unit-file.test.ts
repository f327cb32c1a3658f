import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  allowedCalls,
  parseCallGroups,
  parseUnit,
  seccompProgram,
} from '../../../deploy/package/unit-file.ts';

describe('a unit', () => {
  const text = readFileSync('deploy/systemd/edge-dns.service', 'utf8');

  it('is read as far as it is acted on', () => {
    expect(parseUnit(text)).toMatchObject({
      user: 'edge-dns',
      group: 'edge',
      command: ['edge-dns', '--config', '/etc/edge/dns.yaml'],
      capabilities: ['CAP_NET_BIND_SERVICE', 'CAP_NET_RAW', 'CAP_NET_ADMIN'],
      writable: ['/run/edge'],
      stateDirectory: '/var/lib/edge/dns',
      hidesProc: true,
      procPidOnly: true,
    });
  });

  it('that lacks its user is refused', () => {
    expect(() => parseUnit(text.replace(/^User=.*$/m, ''))).toThrow('the unit has no User=');
  });
});

it('the groups of system calls are read as systemd prints them', () => {
  const text = '@a\n    # What it is\n    read\n    @b\n\n@b\n    # Other\n    _llseek\n';
  expect([...parseCallGroups(text)]).toEqual([
    ['@a', ['read', '@b']],
    ['@b', ['_llseek']],
  ]);
});

describe('the system calls', () => {
  const groups = new Map([
    ['@default', ['read', 'write']],
    ['@service', ['@default', '@file', 'chown']],
    ['@file', ['open']],
    ['@privileged', ['chown', 'bpf']],
  ]);

  it.each([
    [['@service'], ['chown', 'open', 'read', 'write']],
    [
      ['@service', '~@privileged'],
      ['open', 'read', 'write'],
    ],
    [
      ['@service', '~@privileged', 'bpf'],
      ['bpf', 'open', 'read', 'write'],
    ],
    [['bpf @file'], ['bpf', 'open', 'read', 'write']],
  ])('of %j', (lines, expected) => {
    expect([...allowedCalls(lines, groups)].sort()).toEqual(expected);
  });

  it('are a program that allows these, and refuses the rest with EPERM', () => {
    const program = Buffer.from(seccompProgram([7]));
    const steps = Array.from({ length: program.length / 8 }, (_, at) =>
      program.readBigUInt64LE(at * 8),
    );
    const step = (code: bigint, ifFalse: bigint, value: bigint) =>
      code | (ifFalse << 24n) | (value << 32n);
    expect(steps).toEqual([
      step(0x20n, 0n, 0n),
      step(0x15n, 1n, 7n),
      step(0x06n, 0n, 0x7fff0000n),
      step(0x06n, 0n, 0x50001n),
    ]);
  });
});
