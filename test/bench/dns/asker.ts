// Asks a server, in a process of its own, for the A records of names (ADDRESS NAME…) until each has
// been answered with one: then writes the time, ms since 1970, and ends.
import { createSocket } from 'node:dgram';
import { encodeQuestion } from './question.ts';

const EVERY_MS = 5;

const [address = '', ...names] = process.argv.slice(2);
const socket = createSocket('udp4');
const open = new Map(names.map((name, index) => [index + 1, encodeQuestion(name, index + 1)]));

socket.on('message', (message) => {
  const isAnswer = (message.readUInt16BE(2) & 0x800f) === 0x8000 && message.readUInt16BE(6) > 0;
  if (!isAnswer || !open.delete(message.readUInt16BE(0)) || open.size > 0) return;
  console.log(Date.now());
  process.exit(0);
});
// Nobody listens yet.
socket.on('error', () => undefined);

setInterval(() => {
  for (const query of open.values()) socket.send(query, 53, address, () => undefined);
}, EVERY_MS);
console.log('asks');
