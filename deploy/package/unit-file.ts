// What a systemd unit says of its service, as far as it can be held to it without systemd. Pure.

export type Unit = {
  user: string;
  group: string;
  /** The command line of ExecStart, by words. */
  command: string[];
  /** ExecStartPre lines with `+`: as root, outside of the sandbox. */
  prepare: string[];
  capabilities: string[];
  /** Paths that stay writable; one with `-` need not be there. */
  writable: string[];
  stateDirectory: string;
  stateMode: string;
  umask: string;
  openFiles: string;
  hidesProc: boolean;
  procPidOnly: boolean;
  /** SystemCallFilter lines, in order: names and @groups, `~` first for what is taken out again. */
  systemCalls: string[];
};

/** Throws when the unit lacks what each of ours has. */
export function parseUnit(text: string): Unit {
  const rows = text
    .split('\n')
    .map((line) => /^(\w+)=(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, name = '', value = '']) => ({ name, value }));
  const all = (name: string): string[] =>
    rows.filter((row) => row.name === name && row.value !== '').map(({ value }) => value);
  const one = (name: string, usual?: string): string => {
    const value = all(name).at(-1) ?? usual;
    if (value === undefined) throw new Error(`the unit has no ${name}=`);
    return value;
  };
  const words = (name: string): string[] => all(name).flatMap((value) => value.split(/\s+/));
  return {
    user: one('User'),
    group: one('Group'),
    command: one('ExecStart').split(/\s+/),
    prepare: all('ExecStartPre')
      .filter((line) => line.startsWith('+'))
      .map((line) => line.slice(1)),
    capabilities: words('AmbientCapabilities'),
    writable: words('ReadWritePaths'),
    stateDirectory: `/var/lib/${one('StateDirectory')}`,
    stateMode: one('StateDirectoryMode', '0755'),
    umask: one('UMask', '0022'),
    openFiles: one('LimitNOFILE', '1024'),
    hidesProc: one('ProtectProc', 'default') === 'invisible',
    procPidOnly: one('ProcSubset', 'all') === 'pid',
    systemCalls: all('SystemCallFilter'),
  };
}

/** Every @group with its members, from what `systemd-analyze syscall-filter` prints. */
export function parseCallGroups(text: string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  let members: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('@')) {
      members = [];
      groups.set(line.trim(), members);
    } else if (/^ +[@a-z_]/.test(line)) members.push(line.trim());
  }
  return groups;
}

/** Names of the system calls that the lines leave; `groups` has each @group's members. */
export function allowedCalls(
  lines: readonly string[],
  groups: ReadonlyMap<string, readonly string[]>,
): Set<string> {
  const names = (word: string): string[] =>
    word.startsWith('@') ? (groups.get(word) ?? []).flatMap(names) : [word];
  const allowed = new Set(names('@default'));
  for (const line of lines) {
    const isTaken = line.startsWith('~');
    for (const name of line.replace('~', '').split(/\s+/).flatMap(names))
      if (isTaken) allowed.delete(name);
      else allowed.add(name);
  }
  return allowed;
}

const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const RETURN = 0x06;
const ALLOW = 0x7fff0000;
const EPERM = 0x00050001; // SECCOMP_RET_ERRNO

/** A seccomp program (struct sock_filter[], seccomp(2)) that lets these numbers pass. */
export function seccompProgram(numbers: readonly number[]): Uint8Array {
  const steps: [code: number, ifTrue: number, ifFalse: number, value: number][] = [
    [LOAD, 0, 0, 0], // seccomp_data.nr
    ...numbers.flatMap((number): [number, number, number, number][] => [
      [JUMP_EQUAL, 0, 1, number],
      [RETURN, 0, 0, ALLOW],
    ]),
    [RETURN, 0, 0, EPERM],
  ];
  const bytes = Buffer.alloc(steps.length * 8);
  for (const [index, [code, ifTrue, ifFalse, value]] of steps.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  }
  return bytes;
}
