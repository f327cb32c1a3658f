// Advisories against what runs in production, as the registry knows them. A registry that has no
// audit endpoint, or that does not answer, is the reason of a skip: docs/SECURITY.md.
import { expect, test } from 'vitest';
import { execute } from '../../lab/exec.ts';
import { needs } from '../support/skip.ts';

test('no package that runs in production has a known hole', async (context) => {
  const command = ['audit', '--omit=dev', '--json'];
  const { stdout } = await execute('npm', command, { allowFailure: true, timeoutMs: 60_000 });
  const { vulnerabilities } = parse(stdout);
  const met = vulnerabilities !== undefined;
  needs(context, { what: 'a registry that answers npm audit', met, owed: false });
  expect(vulnerabilities).toEqual({});
});

/** What npm prints when it could not ask has no vulnerabilities. */
function parse(text: string): { vulnerabilities?: object } {
  try {
    return JSON.parse(text) as { vulnerabilities?: object };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return {};
  }
}
