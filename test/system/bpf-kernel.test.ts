// What only the real kernel can show of shared/bpf: real frames, its refusals, nothing left behind.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createBpf } from '../../shared/bpf/kernel.ts';
import { unshareNetwork } from '../../shared/bpf/libc.ts';
import { openPacketSocket } from '../../shared/bpf/packet-socket.ts';
import { ensureBpffs } from '../../shared/bpf/pin.ts';
import type { BpfObject } from '../../shared/bpf/types.ts';
import { LOOPBACK, OBJECT, u32 } from '../support/bpf-conformance/fixture.ts';
import { needs, root, tcx } from '../support/skip.ts';

const REFUSED = join(import.meta.dirname, '../support/bpf/refused.bpf.o');
const scratch = mkdtempSync(join(tmpdir(), 'edge-bpf-'));
const bpffs = join(scratch, 'fs');
const bpf = createBpf();
const WAIT_MS = 5000;

const ip = (...parts: string[]) => execFileSync('ip', parts, { encoding: 'utf8' });
const ifindexOf = (link: string): number =>
  JSON.parse(ip('-j', 'link', 'show', link))[0].ifindex as number;

const isRoot = root().met;

beforeEach((context) => needs(context, root()));

beforeAll(() => {
  if (!isRoot) return;
  unshareNetwork();
  ensureBpffs(bpffs);
  ip('link', 'add', 'left', 'type', 'veth', 'peer', 'name', 'right');
  for (const link of ['left', 'right']) {
    // No router solicitations between our frames.
    ip('link', 'set', link, 'addrgenmode', 'none');
    ip('link', 'set', link, 'up');
  }
});

afterAll(() => {
  if (isRoot) spawnSync('umount', [bpffs]);
  rmSync(scratch, { recursive: true });
});

function withObject<T>(use: (object: BpfObject) => T, constants: Record<string, number> = {}): T {
  const object = bpf.load({ objectPath: OBJECT, constants });
  try {
    return use(object);
  } finally {
    object.close();
  }
}

function programOf(object: BpfObject, name: string) {
  const program = object.programs.get(name);
  if (!program) throw new Error(`no program ${name}`);
  return program;
}

/** An experimental EtherType (RFC 5342), so that no protocol of the kernel answers. */
const frame = Uint8Array.from({ length: 60 }, (_, index) => index);
frame.set([0x88, 0xb5], 12);
const tagged = Uint8Array.of(
  ...frame.subarray(0, 12),
  0x81,
  0x00,
  0x20,
  0x2a,
  ...frame.subarray(12),
);

describe('a program on a link', () => {
  test('is shown by tc, and sees the frames', async () => {
    const at = {
      ifindex: ifindexOf('right'),
      direction: 'ingress',
      handle: 3,
      priority: 9,
    } as const;
    const socket = openPacketSocket(ifindexOf('left'));
    const object = bpf.load({ objectPath: OBJECT });
    try {
      bpf.attachTc(at, programOf(object, 'observe'));
      const shown = execFileSync('tc', ['filter', 'show', 'dev', 'right', 'ingress']).toString();
      expect(shown).toMatch(/pref 9 bpf .*handle 0x3 .*observe.*direct-action/s);
      socket.send(frame);
      socket.send(tagged);
      // veth hands frames over before send() returns to us or soon after: wait for both.
      const counted = () => object.maps.get('mapped')?.lookup(u32(0))?.[0];
      await expect.poll(counted, { timeout: WAIT_MS }).toBe(2);
    } finally {
      socket.close();
      bpf.detachTc(at);
      object.close();
    }
  });

  test('leaves filters and clsact of others alone', () => {
    const at = {
      ifindex: ifindexOf('right'),
      direction: 'egress',
      handle: 1,
      priority: 5,
    } as const;
    const others = { ...at, handle: 2, priority: 4 };
    withObject((object) => {
      bpf.attachTc(others, programOf(object, 'mirror'));
      bpf.attachTc(at, programOf(object, 'observe'));
    });
    expect(bpf.detachTc(at)).toBe(true);
    const shown = execFileSync('tc', ['filter', 'show', 'dev', 'right', 'egress']).toString();
    expect(shown).toContain('pref 4 bpf');
    expect(shown).not.toContain('pref 5');
    expect(bpf.detachTc(others)).toBe(true);
  });

  test('cannot be attached to a link that is not there', () => {
    const at = { ifindex: 9999, direction: 'ingress', handle: 1, priority: 1 } as const;
    withObject((object) => {
      const attach = () => bpf.attachTc(at, programOf(object, 'observe'));
      expect(attach).toThrow(expect.objectContaining({ code: 'EDGE_BPF_ATTACH', errno: 'ENODEV' }));
    });
  });
});

describe('a program by a tcx link', () => {
  const at = (link: string, direction: 'ingress' | 'egress' = 'ingress') => ({
    ifindex: ifindexOf(link),
    direction,
    pin: join(bpffs, 'tcx', direction),
  });
  beforeEach((context) => needs(context, tcx()));

  test('runs before tc, which sees only what it does not accept', async () => {
    const filter = { ifindex: ifindexOf('right'), direction: 'ingress' as const };
    const atTc = { ...filter, handle: 1, priority: 1 };
    const socket = openPacketSocket(ifindexOf('left'));
    const [first, second] = [bpf.load({ objectPath: OBJECT }), bpf.load({ objectPath: OBJECT })];
    const counted = () => [first, second].map((one) => one.maps.get('mapped')?.lookup(u32(0))?.[0]);
    try {
      bpf.attachTc(atTc, programOf(second, 'observe'));
      bpf.attachTcx(at('right'), programOf(first, 'observe')); // TC_ACT_OK
      socket.send(frame);
      await expect.poll(counted, { timeout: WAIT_MS }).toEqual([1, 0]);
      bpf.attachTcx(at('right'), programOf(first, 'mirror')); // TC_ACT_UNSPEC
      socket.send(frame);
      await expect.poll(counted, { timeout: WAIT_MS }).toEqual([1, 1]);
      bpf.attachTcx(at('right'), programOf(first, 'observe'));
      bpf.detachTcx(at('right'));
      socket.send(frame);
      await expect.poll(counted, { timeout: WAIT_MS }).toEqual([1, 2]);
    } finally {
      socket.close();
      bpf.detachTcx(at('right'));
      bpf.detachTc(atTc);
      for (const object of [first, second]) object.close();
    }
  });

  test('gives way when its link was deleted', () => {
    const add = () => ip('link', 'add', 'gone', 'type', 'veth', 'peer', 'name', 'there');
    withObject((object) => {
      const program = programOf(object, 'observe');
      add();
      const before = at('gone');
      bpf.attachTcx(before, program);
      ip('link', 'del', 'gone');
      expect(bpf.queryTcx(before)).toBeUndefined();
      expect(() => bpf.attachTcx(before, program)).toThrow(
        expect.objectContaining({ code: 'EDGE_BPF_ATTACH', errno: 'ENODEV' }),
      );
      add();
      bpf.attachTcx(at('gone'), program);
      expect(bpf.queryTcx(at('gone'))).toEqual({ programId: program.id });
      expect(bpf.detachTcx(at('gone'))).toBe(true);
      ip('link', 'del', 'gone');
    });
  });

  test('leaves those of others alone', () => {
    const others = { ...at('right'), pin: join(bpffs, 'others') };
    withObject((object) => {
      const [ours, theirs] = [programOf(object, 'observe'), programOf(object, 'mirror')];
      bpf.attachTcx(others, theirs);
      bpf.attachTcx(at('right'), ours);
      expect(bpf.detachTcx(at('right'))).toBe(true);
      expect(bpf.queryTcx(others)).toEqual({ programId: theirs.id });
      expect(bpf.detachTcx(others)).toBe(true);
    });
  });
});

describe('raw frames', () => {
  test('arrive as they were sent, VLAN tag included', async () => {
    const left = openPacketSocket(ifindexOf('left'));
    const right = openPacketSocket(ifindexOf('right'));
    try {
      for (const sent of [frame, tagged]) {
        left.send(sent);
        expect(await right.receive(WAIT_MS)).toEqual(sent);
      }
      // What a link sends itself is not heard on it.
      expect(await left.receive(1)).toBeUndefined();
    } finally {
      left.close();
      right.close();
    }
  });

  test('a socket closes when its receive has ended', async () => {
    const before = openDescriptors();
    const socket = openPacketSocket(ifindexOf('left'));
    const receiving = socket.receive(50);
    socket.close();
    expect(await receiving).toBeUndefined();
    expect(openDescriptors()).toEqual(before);
    await expect(socket.receive(1)).rejects.toThrow(/closed/);
    expect(() => socket.send(frame)).toThrow(/closed/);
  });

  test('an XDP program can send many of them', async () => {
    const right = openPacketSocket(ifindexOf('right'));
    try {
      // A veth takes frames from XDP only when its peer polls, as it does with GRO.
      execFileSync('ethtool', ['-K', 'right', 'gro', 'on']);
      // XDP_TX: out by the link that the frames appear to come from.
      const run = { frame, ifindex: ifindexOf('left'), repeat: 100, batchSize: 8 };
      withObject((object) => programOf(object, 'bounce').liveRun(run));
      const received = await right.receive(WAIT_MS);
      expect(received?.[0]).toBe(0xee);
      expect(received?.subarray(1)).toEqual(frame.subarray(1));
    } finally {
      right.close();
    }
  });
});

describe('a refusal', () => {
  test('of the verifier is told by its last line; the whole log is kept', () => {
    const load = () => bpf.load({ objectPath: REFUSED });
    expect(load).toThrow(/^program unchecked: R0 invalid mem access .*lines omitted\): EACCES$/);
    try {
      load();
    } catch (error) {
      expect(error).toMatchObject({ code: 'EDGE_BPF_VERIFIER', errno: 'EACCES' });
      expect((error as { log: string }).log).toContain('bpf_map_lookup_elem');
    }
  });

  test('to pin outside a bpffs names the remedy', () => {
    const load = () => bpf.load({ objectPath: OBJECT, pinDirectory: join(scratch, 'plain/dir') });
    expect(load).toThrow(
      expect.objectContaining({
        code: 'EDGE_BPF_NO_BPFFS',
        remedy: 'mount -t bpf bpf /sys/fs/bpf',
      }),
    );
  });

  test('to make a directory with a dot in its name is explained', () => {
    const load = () => bpf.load({ objectPath: OBJECT, pinDirectory: join(bpffs, 'a.b') });
    expect(load).toThrow(expect.objectContaining({ code: 'EDGE_BPF_PIN' }));
  });

  test('of permission is told as such', () => {
    const kernel = join(import.meta.dirname, '../../shared/bpf/kernel.ts');
    const script = `import { createBpf } from ${JSON.stringify(kernel)};
      try { createBpf().load({ objectPath: ${JSON.stringify(OBJECT)} }); }
      catch (error) { console.log(error.code, error.exitCode); }`;
    const drop = ['--bounding-set=-all', '--inh-caps=-all'];
    const node = [process.execPath, '--input-type=module', '-e', script];
    const run = spawnSync('setpriv', [...drop, ...node], { encoding: 'utf8' });
    expect(run.stdout.trim(), run.stderr).toBe('EDGE_BPF_PERMISSION 77');
  });
});

const openDescriptors = (): string[] => readdirSync('/proc/self/fd').toSorted();

test('no descriptor stays behind', () => {
  const once = (round: number) => {
    const object = bpf.load({ objectPath: OBJECT, pinDirectory: join(bpffs, `leak/${round % 2}`) });
    const events = object.maps.get('events');
    if (events) bpf.ringBuffer(events, () => {}).close();
    object.maps.get('mapped')?.view();
    if (tcx().met) {
      const at = { ifindex: LOOPBACK, direction: 'egress', pin: join(bpffs, 'leaked') } as const;
      for (const name of ['observe', 'mirror']) bpf.attachTcx(at, programOf(object, name));
      bpf.queryTcx(at);
      bpf.detachTcx(at);
    }
    object.close();
    expect(() => bpf.load({ objectPath: REFUSED })).toThrow();
  };
  once(0);
  const before = openDescriptors();
  for (let round = 1; round < 6; round++) once(round);
  expect(openDescriptors()).toEqual(before);
});

test('a map of a closed object fails, and its view is empty', () => {
  const object = bpf.load({ objectPath: OBJECT });
  const mapped = object.maps.get('mapped');
  const view = mapped?.view();
  object.close();
  expect(view?.length).toBe(0);
  expect(() => mapped?.lookup(u32(0))).toThrow(expect.objectContaining({ errno: 'EBADF' }));
});

// The last one: it leaves the network namespace of the others.
test('a tcx link of another network namespace is none of this one', (context) => {
  needs(context, tcx());
  const at = { ifindex: LOOPBACK, direction: 'ingress', pin: join(bpffs, 'moved') } as const;
  withObject((object) => {
    const program = programOf(object, 'observe');
    bpf.attachTcx(at, program);
    expect(bpf.queryTcx(at)).toEqual({ programId: program.id });
    unshareNetwork();
    expect(bpf.queryTcx(at)).toBeUndefined();
    bpf.attachTcx(at, program);
    expect(bpf.queryTcx(at)).toEqual({ programId: program.id });
    expect(bpf.detachTcx(at)).toBe(true);
  });
});
