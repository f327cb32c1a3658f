// Opens connections to a port of 127.0.0.1, asks once on each, and keeps them: says `open` then.
// Its arguments: port, how many.
import { connect } from 'node:net';
import { HOST } from './l7-proxies.ts';

const AT_ONCE = 200;
const [, , port = '', count = ''] = process.argv;
const request = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
let begun = 0;
let open = 0;

function openNext(): void {
  if (begun === Number(count)) return;
  begun++;
  const socket = connect({ host: '127.0.0.1', port: Number(port) }, () => socket.write(request));
  socket.once('data', () => {
    open++;
    if (open === Number(count)) console.log('open');
    else openNext();
  });
  socket.on('error', (error) => {
    console.log(`failed: ${error.message}`);
    process.exit(1);
  });
  socket.on('close', () => {
    console.log('failed: closed');
    process.exit(1);
  });
}

for (let at = 0; at < AT_ONCE; at++) openNext();
