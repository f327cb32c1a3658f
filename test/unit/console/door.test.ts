import { describe, expect, test } from 'vitest';
import { verdictOn } from '../../../console/web/door.ts';
import { TokenGuard } from '../../../shared/admin/token.ts';

const TOKEN = 'a'.repeat(32);
const guard = new TokenGuard([TOKEN]);
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('who may see the page', () => {
  test.each([
    ['a bearer token', `Bearer ${TOKEN}`, 'welcome'],
    ['the token as a password, of anybody', basic(`ann:${TOKEN}`), 'welcome'],
    ['of nobody', basic(`:${TOKEN}`), 'welcome'],
    ['another password', basic('ann:secret'), 'no-token'],
    ['the token as the name', basic(`${TOKEN}:`), 'no-token'],
    ['nothing', undefined, 'no-token'],
    ['what is no base64', 'Basic !!!', 'no-token'],
  ])('with a token file: who brings %s', (_, authorization, verdict) => {
    expect(verdictOn({ authorization, host: 'console.example' }, guard)).toBe(verdict);
  });

  test.each([
    ['127.0.0.1:9180', 'welcome'],
    ['localhost:9180', 'welcome'],
    ['[::1]:9180', 'welcome'],
    ['192.0.2.1', 'welcome'],
    ['evil.example:9180', 'by-name'],
    ['127.0.0.1.evil.example', 'by-name'],
    ['[::1].evil.example', 'by-name'],
    [undefined, 'by-name'],
  ])('without one: who asks %s', (host, verdict) => {
    expect(verdictOn({ host }, undefined)).toBe(verdict);
  });
});
