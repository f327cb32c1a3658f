// Frames in, and what a client must see of them (RFC 9113, 3 to 8; RFC 7541): a GOAWAY or
// RST_STREAM with its code, an answer of ours, or nothing, the connection being as good as before.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FRAME_ROWS } from './frame-rows.ts';
import { GET, headers, PREFACE, RawClient } from './frames.ts';
import { MESSAGE_ROWS } from './message-rows.ts';
import { Http2Rig } from './rig.ts';

/** All of a GET without further fields. */
const SENT_ON = 'GET / HTTP/1.1\r\nhost: a.example\r\nVia: 2.0 edge-lb-1\r\n\r\n';

const GET_1 = headers(1, GET);

let rig: Http2Rig;
beforeAll(async () => {
  rig = await Http2Rig.open();
  rig.forwarder.atOnce = (handed) => {
    if (!handed.request.hasBody) handed.respond('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  };
});
afterAll(() => rig.close());

/**
 * What comes of it. `alive`: nothing is said of it, and a request behind it is answered. `dropped`:
 * the request is answered, but nothing of the field is sent on: nghttp2 leaves it out before
 * anybody sees it, where RFC 9113 would have the stream reset. A code alone: of the stream or of
 * the connection, as RFC 9113, 5.4 lets us choose.
 */
async function outcomeOf(client: RawClient, expected: string): Promise<string | undefined> {
  if (expected === 'alive') client.send(headers(99, GET));
  const stream = expected === 'alive' ? 99 : 1;
  await rig.until('something comes of it', () => client.outcome(stream) !== undefined);
  if (expected.includes('goaway') || expected === 'closed') {
    await rig.until('the connection is closed', () => client.isClosed);
  }
  return client.outcome(stream);
}

describe('RFC 9113', () => {
  test.each([...FRAME_ROWS, ...MESSAGE_ROWS])('§%s %s', async (_, _what, frames, expected) => {
    const client = await RawClient.connect(rig.port);
    client.send(...frames);
    const outcome = await outcomeOf(client, expected);
    client.socket.destroy();
    if (expected === 'alive') expect(outcome).toBe('status 200');
    else if (expected === 'dropped') {
      expect(outcome).toBe('status 200');
      expect(rig.forwarder.handed.at(-1)?.head).toBe(SENT_ON);
    } else if (/^[A-Z_]+$/.test(expected))
      expect(outcome).toMatch(new RegExp(`(rst|goaway) ${expected}`));
    else expect(outcome).toBe(expected);
  });

  test.each<[string, Buffer]>([
    ['no preface', Buffer.from('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')],
    ['half a preface, then something else', Buffer.concat([PREFACE.subarray(0, 20), GET_1])],
    ['a preface with other frames than SETTINGS first', Buffer.concat([PREFACE, GET_1])],
  ])('§3.4 %s', async (_, bytes) => {
    const client = await RawClient.connect(rig.port, false);
    client.send(bytes);
    await rig.until('the connection is closed', () => client.isClosed);
    expect(client.outcome(1)).toMatch(/^goaway PROTOCOL_ERROR|^closed/);
  });
});
