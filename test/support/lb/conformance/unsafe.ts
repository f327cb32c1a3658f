// What HAProxy 2.6 and nginx 1.22 do that is more than another taste, row by row, as it was found:
// an RFC forbids it, or somebody before or behind them reads the same bytes in another way.
import type { OtherName } from './others.ts';

const NO_HOST = 'RFC 9112 §3.2: MUST be 400';
const LEAKED = 'RFC 9110 §7.6.1: a field that Connection lists MUST be removed';
const INTERIM = 'takes an interim response for the final one: the next request is not answered';

export const UNSAFE: Readonly<Record<string, Partial<Record<OtherName, string>>>> = {
  '1': { haproxy: NO_HOST },
  '3': { haproxy: NO_HOST },
  A13: { haproxy: NO_HOST },
  A15: { haproxy: 'a Host that is none is sent on' },
  A16: { haproxy: 'a Host that is none is sent on', nginx: 'a Host that is none is sent on' },
  '12': { nginx: 'HTTP/0.9 is served, and sent on as HTTP/1.1 without Host' },
  '24': { haproxy: 'NUL is sent on' },
  A96: { haproxy: 'Content-Length in a trailer is sent on' },
  A97: { haproxy: 'Transfer-Encoding in a trailer is sent on' },
  A98: { haproxy: 'RFC 9110 §6.5.1: fields that route and authenticate, in a trailer' },
  '67c': { haproxy: 'NUL is sent on' },
  A111: {
    haproxy: 'a bare LF that a target copied from a client becomes a field of its own',
    nginx: 'a bare LF that a target copied from a client becomes a field of its own',
  },
  '41a': {
    haproxy: 'the LF ends the chunk’s line: where the body ends depends on who reads it',
    nginx: 'the LF ends the chunk’s line: where the body ends depends on who reads it',
  },
  A61: { haproxy: 'a length that no 64 bits hold is sent on' },
  '51': { haproxy: 'RFC 9112 §6.1: no chunks to HTTP/1.0' },
  '56b': {
    haproxy: 'RFC 9110 §7.6.2: MUST NOT be sent on',
    nginx: 'RFC 9110 §7.6.2: MUST NOT be sent on',
  },
  '56c': {
    haproxy: 'RFC 9110 §7.6.2: the number MUST go down',
    nginx: 'RFC 9110 §7.6.2: the number MUST go down',
  },
  A142: { nginx: 'what is behind an interim response reaches the client' },
  '60b': { haproxy: 'RFC 9110 §15.2: no 1xx to HTTP/1.0', nginx: INTERIM },
  A141: { nginx: INTERIM },
  A57: { haproxy: 'RFC 9112 §6.1: no chunks to HTTP/1.0' },
  '52a': { haproxy: LEAKED, nginx: LEAKED },
  '52b': { haproxy: LEAKED, nginx: LEAKED },
  A49: { haproxy: LEAKED, nginx: LEAKED },
  A52: { haproxy: LEAKED, nginx: LEAKED },
  A112: {
    haproxy: 'a status of two digits reaches the client',
    nginx: 'a status of two digits reaches the client',
  },
  A115: { nginx: 'what is no response at all reaches the client' },
  '61': { nginx: 'a tunnel that nobody asked for' },
  '65a': { nginx: 'one of two lengths is believed' },
  A128: { nginx: 'RFC 9110 §8.6: no Content-Length in 204' },
  '60a': { nginx: INTERIM },
  A140: { nginx: INTERIM },
  A143: { nginx: INTERIM },
  '57': { nginx: INTERIM },
  '80b': { nginx: 'what the target still says is lost' },
  '85e': {
    haproxy: '192.0.2.999 is taken for 192.0.5.231',
    nginx: 'the socket’s address is taken instead',
  },
  '85f': { nginx: 'the socket’s address is taken instead' },
};
