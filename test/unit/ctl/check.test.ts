// What is wrong with a site is told where the operator wrote it.
import { expect, it } from 'vitest';
import { ManualClock } from '../../../shared/clock.ts';
import { differencesOf } from '../../../shared/ctl/change.ts';
import { checkChanges } from '../../../shared/ctl/check.ts';
import { keyOf, SiteState } from '../../../shared/ctl/state.ts';
import { ConfigError } from '../../../shared/errors.ts';
import { readSite } from '../../../shared/site/file.ts';
import type { ObjectRecord } from '../../../shared/store/types.ts';

const STORED: ObjectRecord[] = [
  { kind: 'eip', id: '198.51.100.7', value: '{"private":"10.0.0.5"}' },
  { kind: 'eip', id: '198.51.100.8', value: '{}' },
  { kind: 'forward', id: '198.51.100.8:443/tcp', value: '{"to":"10.0.0.6:8443"}' },
];

async function places(text: string): Promise<string[]> {
  const records = new Map(STORED.map((record) => [keyOf(record.kind, record.id), record]));
  const state = new SiteState(new Map([['natter', 1]]), records);
  const files = readSite([{ file: 'site.yaml', text }]);
  const changes = files.objects.map(({ record }) => record);
  try {
    await checkChanges({ clock: new ManualClock() }, state, differencesOf(state, changes), files);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ file, line, message }) => `${file}:${line} ${message}`);
  }
  return [];
}

it.each([
  ['nothing wrong', 'eips:\n  - { address: 198.51.100.9 }\n', []],
  [
    'a private address that a stored EIP has',
    'eips:\n  - { address: 198.51.100.6, private: 10.0.0.5 }\n',
    ['site.yaml:2 eip 198.51.100.6: 10.0.0.5 is mapped by EIP 198.51.100.7 already'],
  ],
  [
    'a range that begins before a stored forward: the stored one is in the way, the file is to blame',
    'forwards:\n  - { from: "198.51.100.8:400-500/tcp", to: "10.0.0.9:400" }\n',
    [
      'site.yaml:2 stored forward 198.51.100.8:443/tcp: ' +
        'forward 198.51.100.8:400-500/tcp leads from some of the same ports',
    ],
  ],
])('%s', async (_, text, expected) => {
  expect(await places(text)).toEqual(expected);
});
