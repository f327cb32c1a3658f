// Exit codes, the same for every command (docs/edgectl.md).

export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notRunning: 3,
  permission: 77,
  badFile: 78,
  interrupted: 130,
} as const;
