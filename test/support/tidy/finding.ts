// What a tidy rule finds, and how a person reads it.

export type Finding = { path: string; line: number; message: string };

export function formatFindings(findings: readonly Finding[]): string[] {
  return findings.map(({ path, line, message }) => `${path}:${line}: ${message}`).sort();
}
