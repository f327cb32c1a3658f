// Asks over HTTPS (RFC 8484, POST), in a process of its own: FILE of messages as dnsperf -B reads
// them, then seconds, connections and requests under way. Writes a report like dnsperf's as JSON.
// dnsperf 2.10 itself loses answers when a connection has more than one request under way.
import { readFileSync } from 'node:fs';
import { connect, constants } from 'node:http2';
import type { Written } from './dnsperf.ts';

const [file = '', ...numbers] = process.argv.slice(2);
const [seconds = 1, connections = 1, outstanding = 1] = numbers.map(Number);
const QUERIES = 10_000;
const HEADERS = {
  ':method': 'POST',
  ':path': '/dns-query',
  'content-type': 'application/dns-message',
};

const queries = firstMessages(readFileSync(file));
const sessions = Array.from({ length: connections }, () =>
  connect('https://127.0.0.1', { rejectUnauthorized: false }),
);
const tally = { sent: 0, completed: 0, lost: 0, sumMs: 0, mostMs: 0, good: 0 };
const startMs = performance.now();
const endMs = startMs + 1000 * seconds;
let left = 0;

for (let index = 0; index < outstanding; index++) {
  left++;
  ask(index);
}

function firstMessages(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length && found.length < QUERIES; ) {
    const length = bytes.readUInt16BE(at);
    found.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return found;
}

/** One after the other, always by the same connection. */
function ask(index: number): void {
  const askedMs = performance.now();
  if (askedMs >= endMs) {
    if (--left === 0) finish();
    return;
  }
  const request = sessions[index % connections]?.request(HEADERS);
  const query = queries[tally.sent++ % queries.length];
  const chunks: Buffer[] = [];
  request?.on('data', (chunk: Buffer) => chunks.push(chunk));
  request?.on('error', () => undefined); // 'close' follows
  request?.on('close', () => {
    const answer = Buffer.concat(chunks);
    if (request.rstCode !== constants.NGHTTP2_NO_ERROR || answer.length < 12) tally.lost++;
    else {
      const tookMs = performance.now() - askedMs;
      tally.completed++;
      tally.sumMs += tookMs;
      tally.mostMs = Math.max(tally.mostMs, tookMs);
      if ((answer.readUInt16BE(2) & 15) === 0) tally.good++;
    }
    ask(index);
  });
  request?.end(query);
}

function finish(): void {
  const { sent, completed, lost, sumMs, mostMs, good } = tally;
  const took = (performance.now() - startMs) / 1000;
  const report: Written = {
    sent,
    completed,
    lost,
    seconds: took,
    perSecond: completed / took,
    meanMs: sumMs / Math.max(1, completed),
    mostMs,
    codes: [
      ['NOERROR', good],
      ['other', completed - good],
    ],
  };
  console.log(JSON.stringify(report));
  process.exit(0);
}
