import { expect, test } from 'vitest';
import { listenFailed } from '../../../../dns/transports/listening.ts';
import { callFailed } from '../../../../shared/bpf/failure.ts';

const node = (code: string) => Object.assign(new Error(code), { code });

test.each([
  ['Node without the right', node('EACCES'), 77],
  ['the kernel without the right', callFailed('EDGE_UDP', 'bind', -13), 77],
  ['Node, in use', node('EADDRINUSE'), 1],
  ['the kernel, in use', callFailed('EDGE_UDP', 'bind', -98), 1],
])('%s', (_, cause, exitCode) => {
  const error = listenFailed('udp', { host: '::1', port: 53 }, cause);
  expect(error).toMatchObject({ code: 'EDGE_DNS_LISTEN', exitCode, cause });
  expect(error.message).toBe('udp [::1]:53 cannot be bound');
});
