// The addresses of the bench's one topology:  client side ── up0 (router) in0 ── VM side.
// All of it lives in the run's own network namespaces.

export const EIP_BASE = 0xc6100000; // 198.16.0.0/12, room for 2^20 EIPs
export const PRIVATE_BASE = 0x0a000000; // 10.0.0.0/8
export const CLIENT_BASE = 0x2c000000; // 44.0.0.0/8, 2^24 clients

export const MACS = {
  up0: '02:00:00:00:00:01',
  in0: '02:00:00:00:00:02',
  client: '02:00:00:00:01:01',
  vm: '02:00:00:00:01:02',
} as const;

export const ROUTER = { up0: '192.0.2.1', in0: '192.168.255.1' } as const;
export const CLIENT = '192.0.2.2';
export const VM_SIDE = '192.168.255.2';

/** A random permutation of 0 … count−1, the same in each run. */
export function permutation(count: number): Uint32Array {
  const numbers = Uint32Array.from({ length: count }, (_, index) => index);
  let state = 0x9e3779b9;
  for (let last = count - 1; last > 0; last--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (last + 1));
    const moved = numbers[last] ?? 0;
    numbers[last] = numbers[other] ?? 0;
    numbers[other] = moved;
  }
  return numbers;
}
