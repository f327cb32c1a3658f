// A relay with new clients all the time, in a process of its own: asks every server that it is told
// of (ADDRESS of its own, then the servers'), and writes a line of JSON for each client that got an
// address: when it first asked and when it was answered, ms since 1970.
import { createSocket } from 'node:dgram';
import { discover, request } from '../../support/dhcp/request.ts';

const EVERY_MS = 10;
const PORT = 67;
/** Clients that got no answer: the oldest are forgotten. */
const MOST_OPEN = 10_000;
const OFFER = 2;
const ACK = 5;
const OPTIONS_AT = 240;

const [own = '', ...servers] = process.argv.slice(2);
const socket = createSocket('udp4');
const open = new Map<number, { mac: string; startedMs: number; isOffered: boolean }>();
let next = 1;

const nowMs = (): number => performance.timeOrigin + performance.now();

function toAll(message: Uint8Array): void {
  // A server that is dead is why this runs.
  for (const server of servers) socket.send(message, PORT, server, () => undefined);
}

function optionsOf(message: Uint8Array): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  for (let at = OPTIONS_AT; at + 1 < message.length && message[at] !== 255; ) {
    const length = message[at + 1] ?? 0;
    if (message[at] === 0) at++;
    else {
      found.set(message[at] ?? 0, message.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return found;
}

function ask(): void {
  const xid = next++;
  const mac = `02:ee:${(xid.toString(16).padStart(8, '0').match(/../g) ?? []).join(':')}`;
  open.set(xid, { mac, startedMs: nowMs(), isOffered: false });
  const [oldest] = open.keys();
  if (open.size > MOST_OPEN && oldest !== undefined) open.delete(oldest);
  toAll(discover({ xid, mac, giaddr: own, hops: 1 }));
}

socket.on('message', (message) => {
  if (message.length < OPTIONS_AT) return;
  const xid = message.readUInt32BE(4);
  const client = open.get(xid);
  const options = optionsOf(message);
  const type = options.get(53)?.[0];
  const serverId = options.get(54)?.join('.');
  if (client === undefined || serverId === undefined) return;
  if (type === OFFER && !client.isOffered) {
    client.isOffered = true;
    const requested = message.subarray(16, 20).join('.');
    toAll(request({ xid, mac: client.mac, giaddr: own, hops: 1, requested, serverId }));
  } else if (type === ACK) {
    open.delete(xid);
    console.log(JSON.stringify({ startedMs: client.startedMs, answeredMs: nowMs() }));
  }
});

socket.bind(PORT, own, () => {
  setInterval(ask, EVERY_MS);
});
