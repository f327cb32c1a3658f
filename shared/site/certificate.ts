// A certificate with its chain, for listeners of https. Id: its name. Its private key is a file of
// each instance, never here. Pure.
import type { ObjectRecord } from '../store/types.ts';
import { canonicalValue, ifCanonical } from './canonical.ts';
import type { Certificate } from './lb-objects.ts';
import { canonicalPem, pemProblem } from './pem.ts';
import type { ObjectProblem } from './problem.ts';
import type { Refusal } from './refusal.ts';
import { isName, ValueReader } from './value.ts';

/** From a stored object. */
export function parseCertificate(id: string, value: string): Certificate | Refusal {
  const reader = new ValueReader(`certificate ${id}`, value, ['chain']);
  if (!isName(id)) reader.refuse('the id is not a name');
  const chain = reader.text('chain');
  if (chain === undefined && reader.reasons.length === 0) reader.refuse('there is no chain');
  const certificate = { name: id, chain: canonicalPem(chain ?? '') };
  return ifCanonical(reader, value, certificate, {
    problemsOf: certificateProblems,
    format: formatCertificate,
  });
}

/** What is wrong with a certificate in itself, as far as its text shows. */
export function certificateProblems({ chain }: Certificate): ObjectProblem[] {
  return pemProblems(chain, ['chain']);
}

export function pemProblems(pem: string | undefined, at: readonly string[]): ObjectProblem[] {
  const problem = pem === undefined ? undefined : pemProblem(pem);
  if (problem === undefined) return [];
  return [{ ...problem, message: `${at.at(-1)} ${problem.message}`, at }];
}

export function formatCertificate({ name, chain }: Certificate): ObjectRecord {
  return { kind: 'certificate', id: name, value: canonicalValue({ chain }) };
}
