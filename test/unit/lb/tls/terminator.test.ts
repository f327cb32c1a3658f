// TLS of a listener on real sockets: which certificate, which protocol, whose client certificate,
// and what is not waited for.
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import { makeCertificate } from './certificates.ts';
import { listenerOf, TlsRig, type TlsRigOptions } from './rig.ts';

const ca = makeCertificate({ subject: 'ca', isCa: true });
const alice = makeCertificate({ subject: 'alice', issuer: ca });
const mallory = makeCertificate({ subject: 'alice' });
const certificates = {
  first: makeCertificate({ subject: 'first', names: ['a.example'] }),
  firstRsa: makeCertificate({ subject: 'first-rsa', names: ['a.example'], type: 'rsa' }),
  wild: makeCertificate({ subject: 'wild', names: ['*.b.example', 'b.example'] }),
};
const rsaOnly = { sigalgs: 'RSA-PSS+SHA256:RSA+SHA256' };

let rig: TlsRig | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

async function open(options: Partial<TlsRigOptions> = {}): Promise<TlsRig> {
  rig = await TlsRig.open({ certificates, ...options });
  return rig;
}

const clientOf = (made: { chain: string; key: string }) => ({ cert: made.chain, key: made.key });

describe('the certificate', () => {
  test.each<[string, ConnectionOptions, string]>([
    ['by its exact name', { servername: 'a.example' }, 'first'],
    ['whatever the case', { servername: 'A.EXAMPLE' }, 'first'],
    ['by a wildcard', { servername: 'x.b.example' }, 'wild'],
    ['by the exact name beside it', { servername: 'b.example' }, 'wild'],
    ['the first without SNI', {}, 'first'],
    ['the first for an unknown name', { servername: 'c.example' }, 'first'],
    ['the first two labels below a star', { servername: 'x.y.b.example' }, 'first'],
    ['RSA for who takes no other', { servername: 'a.example', ...rsaOnly }, 'first-rsa'],
    ['RSA without SNI', rsaOnly, 'first-rsa'],
    ['RSA in TLS 1.2', { ...rsaOnly, maxVersion: 'TLSv1.2' }, 'first-rsa'],
  ])('is found %s', async (_, options, subject) => {
    const { secured, connect } = await open().then((each) => ({
      secured: () => each.secured,
      connect: () => each.connect(options),
    }));
    const socket = await connect();
    expect(socket.getPeerCertificate().subject.CN).toBe(subject);
    const { servername } = options;
    const serverName = servername?.toLowerCase();
    expect(secured()[0]?.info).toEqual({
      scheme: 'https',
      ...(serverName === undefined ? {} : { serverName }),
    });
  });

  test('of a reload serves from then on; the same keeps its context', async () => {
    const open1 = await open();
    const kept = open1.store.choiceFor(open1.listener)?.find('b.example');
    const renewed = makeCertificate({ subject: 'renewed', names: ['a.example'] });
    expect(open1.useCertificates({ ...certificates, first: renewed })).toEqual([]);
    open1.terminator.update(open1.listener);
    const socket = await open1.connect({ servername: 'a.example' });
    expect(socket.getPeerCertificate().subject.CN).toBe('renewed');
    expect(kept).toBeDefined();
    expect(open1.store.choiceFor(open1.listener)?.find('b.example')).toBe(kept);
  });

  test('that is no good leaves the one before in force', async () => {
    const open1 = await open();
    const bad = { chain: certificates.first.chain, key: certificates.wild.key };
    const problems = open1.useCertificates({ ...certificates, first: bad });
    expect(problems).toMatchObject([{ certificate: 'first' }]);
    open1.terminator.update(open1.listener);
    const socket = await open1.connect({ servername: 'a.example' });
    expect(socket.getPeerCertificate().subject.CN).toBe('first');
  });

  test('contexts of what is gone are let go', async () => {
    const open1 = await open();
    await open1.connect({ servername: 'b.example' });
    expect(open1.store.contexts).toBe(1);
    open1.useCertificates({ first: certificates.first });
    expect(open1.store.contexts).toBe(0);
    expect([...open1.store.secondsLeft(0).keys()]).toEqual(['first']);
  });

  test('there is none: refused', async () => {
    const open1 = await open({ certificates: {} });
    const socket = connectTcp(open1.port, '127.0.0.1').on('error', () => {});
    await once(socket, 'close');
    expect(open1.failures).toEqual(['no-certificate']);
  });
});

describe('the protocol', () => {
  test.each<[string[] | undefined, boolean, string]>([
    [['h2', 'http/1.1'], true, 'h2'],
    [['http/1.1', 'h2'], true, 'h2'],
    [['http/1.1'], true, 'http/1.1'],
    [undefined, true, 'http/1.1'],
    [['h2', 'http/1.1'], false, 'http/1.1'],
  ])('of %j, HTTP/2 being %j, is %s', async (offered, http2, protocol) => {
    const open1 = await open({ listener: { http2 } });
    await open1.connect({ ALPNProtocols: offered ?? [] });
    expect(open1.secured[0]?.protocol).toBe(protocol);
  });

  test.each<[string, ConnectionOptions, Partial<TlsRigOptions>]>([
    ['that we do not speak', { ALPNProtocols: ['imap'] }, {}],
    ['h2 alone where it is off', { ALPNProtocols: ['h2'] }, { listener: { http2: false } }],
    ['TLS 1.2 below the least', { maxVersion: 'TLSv1.2' }, { listener: { minTls: '1.3' } }],
    [
      'TLS 1.1',
      { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      {},
    ],
  ])('is refused: %s', async (_, client, options) => {
    const open1 = await open(options);
    await expect(open1.connect(client)).rejects.toThrow();
    await until('it is told', () => open1.failures.length > 0);
    expect(open1.failures).toEqual(['handshake']);
  });
});

describe('a client certificate', () => {
  const subject = 'CN=alice, O=edge';
  const fingerprint = expect.stringMatching(/^[0-9a-f]{64}$/);
  type Asked = 'none' | 'optional' | 'required';

  test.each<[Asked, 'no' | 'a good' | 'a bad', string, 'TLSv1.2' | 'TLSv1.3']>(
    (['TLSv1.2', 'TLSv1.3'] as const).flatMap((version) => [
      ['none', 'no', 'none', version],
      ['none', 'a good', 'none', version],
      ['optional', 'no', 'none', version],
      ['optional', 'a good', 'known', version],
      ['optional', 'a bad', 'refused', version],
      ['required', 'no', 'refused', version],
      ['required', 'a good', 'known', version],
      ['required', 'a bad', 'refused', version],
    ]),
  )('%s, %s one: %s (%s)', async (clientCertificate, given, expected, maxVersion) => {
    const open1 = await open({ listener: { clientCertificate, clientCa: ca.chain } });
    const made = { no: {}, 'a good': clientOf(alice), 'a bad': clientOf(mallory) }[given];
    for (const servername of ['a.example', 'b.example']) {
      const before = open1.results.length;
      // With TLS 1.3 a client is through before the server has seen its certificate.
      await open1.connect({ maxVersion, servername, ...made }).catch(() => {});
      await until('it is told', () => open1.results.length > before);
      const [result] = open1.results.slice(before);
      if (expected === 'refused') expect(result).toMatchObject({ failure: 'client-certificate' });
      else if (result === undefined || 'failure' in result) expect.fail('refused');
      else if (expected === 'none') expect(result.info.certificate).toBeUndefined();
      else expect(result.info.certificate).toEqual({ subject, fingerprint });
    }
  });
});

describe('what was read before the handshake', () => {
  /** Reads the first `bytes` of the connection, then puts them back. */
  function peek(bytes: number) {
    return (socket: Socket, secure: () => void) => {
      let read = Buffer.alloc(0);
      socket.on('data', function take(piece: Buffer) {
        read = Buffer.concat([read, piece]);
        if (read.length < bytes) return;
        socket.off('data', take);
        socket.pause();
        socket.unshift(read);
        secure();
      });
    };
  }

  test.each([1, 5, 100])('is put back, after at least %d bytes', async (bytes) => {
    const open1 = await open({ before: peek(bytes) });
    const socket = await open1.connect({ servername: 'b.example' });
    expect(socket.getPeerCertificate().subject.CN).toBe('wild');
    const [secured] = open1.secured;
    const heard = once(secured?.socket ?? socket, 'data');
    socket.write('after the handshake');
    expect(`${await heard}`).toBe('after the handshake');
  });

  test('is put back behind a header, in pieces', async () => {
    const header = Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.1 1 443\r\n');
    const open1 = await open({
      before: (socket, secure) => {
        socket.once('data', (piece: Buffer) => {
          socket.pause();
          socket.unshift(piece.subarray(header.length));
          secure();
        });
      },
    });
    const tcp = connectTcp(open1.port, '127.0.0.1');
    tcp.write(header);
    await open1.connect({ socket: tcp, servername: 'a.example' });
    expect(open1.secured[0]?.info.serverName).toBe('a.example');
  });
});

describe('a handshake', () => {
  const idle = async (open1: TlsRig) => {
    const socket = connectTcp(open1.port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };

  test('that does not end in time is ended', async () => {
    const open1 = await open({ handshakeMs: 50 });
    const socket = await idle(open1);
    await once(socket, 'close');
    expect(open1.failures).toEqual(['timeout']);
    expect(open1.terminator.handshakes).toBe(0);
  });

  test('one too many is refused; an end makes room', async () => {
    const open1 = await open({ maxHandshakes: 2 });
    const waiting = [await idle(open1), await idle(open1)];
    await until('both are held', () => open1.terminator.handshakes === 2);
    await once(await idle(open1), 'close');
    expect(open1.failures).toEqual(['too-many']);
    for (const socket of waiting) socket.destroy();
    await until('both are gone', () => open1.terminator.handshakes === 0);
    await open1.connect();
    expect(open1.failures).toEqual(['too-many', 'client-gone', 'client-gone']);
  });

  test('that is none is refused', async () => {
    const open1 = await open();
    const socket = await idle(open1);
    socket.write('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await once(socket.resume(), 'close');
    expect(open1.failures).toEqual(['handshake']);
  });

  test('is given up when the terminator is closed', async () => {
    const open1 = await open();
    const socket = await idle(open1);
    await until('it is held', () => open1.terminator.handshakes === 1);
    open1.terminator.close();
    await once(socket, 'close');
    expect(open1.failures).toEqual(['client-gone']);
  });

  test('is not done again', async () => {
    const open1 = await open();
    const socket = await open1.connect({ maxVersion: 'TLSv1.2' });
    const refused = once(socket, 'close');
    socket.renegotiate({}, () => {});
    await expect(refused).rejects.toThrow('no renegotiation');
    expect(open1.results).toHaveLength(1);
  });

  test('of a listener that has changed is by its new terms', async () => {
    const open1 = await open();
    const changed = listenerOf({ ...open1.listener, minTls: '1.3', http2: false });
    open1.terminator.update(changed);
    const socket = await open1.connect();
    expect([socket.getProtocol(), open1.secured[0]?.protocol]).toEqual(['TLSv1.3', 'http/1.1']);
  });
});
