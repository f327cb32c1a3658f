import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import {
  createRig,
  GET,
  HEAD_REQUEST,
  poolOf,
  type ScriptedTarget,
  startTarget,
  Told,
} from './rig.ts';

const OK = 'HTTP/1.1 200 OK\r\n';

/** `says`: written piece by piece, each when the one before was. `closes`: by FIN or RST then. */
type Case = {
  what: string;
  says: string | string[];
  closes?: 'end' | 'reset';
  as?: Partial<typeof GET>;
  told: string[];
  isKept: boolean;
};

const interims = (count: number) => 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(count);

const CASES: Case[] = [
  {
    what: 'a length',
    says: `${OK}Content-Length: 5\r\n\r\nhello`,
    told: ['head 200', 'body hello', 'end'],
    isKept: true,
  },
  {
    what: 'a head and a body in many pieces',
    says: [...`${OK}Content-Length: 5\r\n\r\nhello`],
    told: ['head 200', 'body hello', 'end'],
    isKept: true,
  },
  {
    what: 'length 0',
    says: `${OK}Content-Length: 0\r\n\r\n`,
    told: ['head 200', 'end'],
    isKept: true,
  },
  {
    what: 'chunks with an extension and a trailer',
    says: `${OK}Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nX-Sum: 1\r\n\r\n`,
    told: ['head 200', 'body hello', 'end X-Sum: 1'],
    isKept: true,
  },
  {
    what: 'chunks byte by byte',
    says: [...`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`],
    told: ['head 200', 'body hello', 'end'],
    isKept: true,
  },
  {
    what: 'until the end of the connection (#68)',
    says: `${OK}\r\nhello`,
    closes: 'end',
    told: ['head 200', 'body hello', 'end'],
    isKept: false,
  },
  {
    what: '204, which has no body',
    says: 'HTTP/1.1 204 No Content\r\n\r\n',
    told: ['head 204', 'end'],
    isKept: true,
  },
  {
    what: '304 with a length',
    says: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n',
    told: ['head 304', 'end'],
    isKept: true,
  },
  {
    what: 'HEAD with a length',
    says: `${OK}Content-Length: 10\r\n\r\n`,
    as: { isHead: true },
    told: ['head 200', 'end'],
    isKept: true,
  },
  {
    what: 'HEAD with a body (#62)',
    says: `${OK}Content-Length: 5\r\n\r\nhello`,
    as: { isHead: true },
    told: ['head 200', 'end'],
    isKept: false,
  },
  {
    what: 'close',
    says: `${OK}Content-Length: 5\r\nConnection: close\r\n\r\nhello`,
    told: ['head 200', 'body hello', 'end'],
    isKept: false,
  },
  {
    what: 'HTTP/1.0',
    says: 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    told: ['head 200', 'body hello', 'end'],
    isKept: false,
  },
  {
    what: 'a target that keeps it for a second only',
    says: `${OK}Content-Length: 0\r\nKeep-Alive: timeout=1\r\n\r\n`,
    told: ['head 200', 'end'],
    isKept: false,
  },
  {
    what: '103, then 200 (#60)',
    says: `${interims(1)}${OK}Content-Length: 0\r\n\r\n`,
    told: ['interim 103', 'head 200', 'end'],
    isKept: true,
  },
  {
    what: 'more interim responses than anybody needs',
    says: interims(33),
    told: [...Array(32).fill('interim 103'), 'bad too-many-interim-responses'],
    isKept: false,
  },
  {
    what: '101 that nobody asked for (#61)',
    says: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: upgrade\r\n\r\n',
    told: ['bad unasked-upgrade'],
    isKept: false,
  },
  {
    what: 'both framings (#64)',
    says: `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    told: ['bad content-length-and-transfer-encoding'],
    isKept: false,
  },
  {
    what: 'two lengths (#65)',
    says: `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc`,
    told: ['bad content-length-twice'],
    isKept: false,
  },
  {
    what: 'a length that is none',
    says: `${OK}Content-Length: 2x\r\n\r\nab`,
    told: ['bad content-length'],
    isKept: false,
  },
  {
    what: 'a folded line (#67)',
    says: `${OK}A: b\r\n c\r\nContent-Length: 0\r\n\r\n`,
    told: ['bad folded-line'],
    isKept: false,
  },
  {
    what: 'a blank before the colon',
    says: `${OK}Content-Length : 0\r\n\r\n`,
    told: ['bad space-before-colon'],
    isKept: false,
  },
  {
    what: 'NUL in a value',
    says: `${OK}A: b\0c\r\nContent-Length: 0\r\n\r\n`,
    told: ['bad field-value'],
    isKept: false,
  },
  {
    what: 'a head without end',
    says: `${OK}A: ${'x'.repeat(17_000)}`,
    told: ['bad head-too-big'],
    isKept: false,
  },
  {
    what: 'no HTTP',
    says: 'SSH-2.0-OpenSSH_9.2\r\n',
    told: ['bad status-line'],
    isKept: false,
  },
  {
    what: 'a chunk size that is none',
    says: `${OK}Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n`,
    told: ['head 200', 'bad chunk-size'],
    isKept: false,
  },
  {
    what: 'its end mid length (#69)',
    says: `${OK}Content-Length: 10\r\n\r\nhello`,
    closes: 'end',
    told: ['head 200', 'body hello', 'reset received'],
    isKept: false,
  },
  {
    what: 'its end mid chunk',
    says: `${OK}Transfer-Encoding: chunked\r\n\r\nA\r\nhello`,
    closes: 'end',
    told: ['head 200', 'body hello', 'reset received'],
    isKept: false,
  },
  {
    what: 'its end mid head',
    says: 'HTTP/1.1 200 O',
    closes: 'end',
    told: ['reset received'],
    isKept: false,
  },
  { what: 'its end before the head', says: '', closes: 'end', told: ['reset'], isKept: false },
  { what: 'a reset before the head', says: '', closes: 'reset', told: ['reset'], isKept: false },
  {
    what: 'an end after an interim response',
    says: interims(1),
    closes: 'end',
    told: ['interim 103', 'reset received'],
    isKept: false,
  },
  {
    what: 'extra bytes (#70)',
    says: `${OK}Content-Length: 5\r\n\r\nhello!`,
    told: ['head 200', 'body hello', 'end'],
    isKept: false,
  },
  {
    what: 'a second response',
    says: `${OK}Content-Length: 2\r\n\r\nok${OK}Content-Length: 4\r\n\r\nevil`,
    told: ['head 200', 'body ok', 'end'],
    isKept: false,
  },
];

describe('a target that says', () => {
  let rig: ReturnType<typeof createRig>;
  let target: ScriptedTarget;
  beforeEach(() => {
    rig = createRig();
  });
  afterEach(async () => {
    await rig.close();
    await target.close();
  });

  test.each(CASES)('$what', async ({ says, closes, as, told: expected, isKept }) => {
    target = await startTarget((socket) => {
      // Each piece is a segment of its own.
      socket.setNoDelay(true);
      const pieces = typeof says === 'string' ? [says] : [...says];
      const next = () => {
        const piece = pieces.shift();
        if (piece !== undefined) socket.write(piece, 'latin1', () => setImmediate(next));
        else if (closes === 'end') socket.end();
        else if (closes === 'reset') socket.resetAndDestroy();
      };
      next();
    });
    const connection = await rig.connect(poolOf(), target.state);
    const told = new Told();
    connection.send(HEAD_REQUEST, { ...GET, ...as }, told);
    await told.over;
    expect(told.lines).toEqual(expected);
    expect(rig.upstreams.idle).toBe(isKept ? 1 : 0);
    if (!isKept) await until('it is closed', () => rig.upstreams.open === 0);
  });
});
