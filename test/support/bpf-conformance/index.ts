// One suite for everything behind the Bpf interface: test/unit runs it on the fake, test/system on
// the kernel.
import { describe } from 'vitest';
import { type Setup, useFixture } from './fixture.ts';
import { arrayCases, hashCases, lruCases, perCpuCases, prefixCases, walkCases } from './maps.ts';
import { nestedCases } from './maps-in-maps.ts';
import { objectCases, pinCases, pinDirectoryCases } from './objects.ts';
import { linkCases, ringCases, runCases, tcxCases } from './programs.ts';

export function conformance(setUp: () => Setup): void {
  const fixture = useFixture(setUp);
  describe('an object', () => objectCases(fixture));
  describe('pinned maps', () => pinCases(fixture));
  describe('pinned maps, too,', () => pinDirectoryCases(fixture));
  describe('a hash', () => hashCases(fixture));
  describe('an array', () => arrayCases(fixture));
  describe('a per-CPU map', () => perCpuCases(fixture));
  describe('an LRU', () => lruCases(fixture));
  describe('a prefix map', () => prefixCases(fixture));
  describe('a map of maps', () => nestedCases(fixture));
  describe('a walk', () => walkCases(fixture));
  describe('a test run', () => runCases(fixture));
  describe('on a link', () => linkCases(fixture));
  describe('tcx links', () => tcxCases(fixture));
  describe('a ring buffer', () => ringCases(fixture));
}
