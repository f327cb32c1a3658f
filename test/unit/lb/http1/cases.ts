// How a case of a request is written: bytes in, and what becomes of them.

export type RequestCase = {
  section: string;
  name: string;
  /** Written with LF for CRLF: see `wire`. */
  input: string;
  /** Reason of the refusal. */
  bad?: string;
  status?: number;
  /** What is sent on, without our Via; written as `input` is. */
  output?: string;
  host?: string;
};

/** LF stands for CRLF; `<LF>`, `<CR>`, `<NUL>` … for that byte alone. */
export function wire(text: string): Buffer {
  const named = text
    .replaceAll('\n', '\r\n')
    .replaceAll('<LF>', '\n')
    .replaceAll('<CR>', '\r')
    .replaceAll('<NUL>', '\0')
    .replaceAll('<TAB>', '\t')
    .replaceAll('<VT>', '\v')
    .replaceAll('<DEL>', '\x7f')
    .replaceAll('<NBSP>', '\xa0');
  return Buffer.from(named, 'latin1');
}

export const refused = (
  section: string,
  name: string,
  bad: string,
  input: string,
): RequestCase => ({
  section,
  name,
  bad,
  input,
});

export const sent = (
  section: string,
  name: string,
  input: string,
  output = input,
  host?: string,
): RequestCase => ({ section, name, input, output, ...(host === undefined ? {} : { host }) });

export const get = (fields: string) => `GET / HTTP/1.1\nHost: a\n${fields}\n`;
export const post = (fields: string) => `POST / HTTP/1.1\nHost: a\n${fields}\n`;
export const line = (text: string) => `${text}\nHost: a\n\n`;
