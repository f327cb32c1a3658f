// HTTP/1.1 messages in what one side has got, split off in the simplest way: what is under test is
// not judged by its own parser. Text is latin1, a character a byte.

export type Message = {
  /** With its empty line; all there is while that has not come. */
  head: string;
  /** As content. */
  body: string;
  trailers: string;
  framing: 'none' | 'length' | 'chunked' | 'rest';
  isWhole: boolean;
  /** As it came, in one chunk where it came in several. */
  text: string;
};

export type Splitting = {
  isResponse: boolean;
  /** Of final responses: told of a body that does not follow. */
  isBodiless: (index: number) => boolean;
  /** All behind this message's head is a tunnel's. */
  isTunnel: (index: number) => boolean;
  isEnded: boolean;
};

export function messagesIn(bytes: string, how: Splitting): Message[] {
  const messages: Message[] = [];
  let finals = 0;
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.slice(at);
    const end = rest.indexOf('\r\n\r\n') + 4;
    if (end === 3) {
      messages.push({
        head: rest,
        body: '',
        trailers: '',
        framing: 'none',
        isWhole: false,
        text: rest,
      });
      break;
    }
    const head = rest.slice(0, end);
    const status = how.isResponse ? Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1] ?? 0) : 0;
    const isInterim = status >= 100 && status < 200 && status !== 101;
    const isTunnel = how.isResponse ? status === 101 : how.isTunnel(messages.length);
    const isBodiless =
      isInterim || status === 204 || status === 304 || (how.isResponse && how.isBodiless(finals));
    const message = bodyOf(head, rest, { isTunnel, isBodiless, how });
    if (!isInterim) finals++;
    messages.push(message.message);
    at += message.length;
  }
  return messages;
}

type Shape = { isTunnel: boolean; isBodiless: boolean; how: Splitting };

function bodyOf(head: string, rest: string, shape: Shape): { message: Message; length: number } {
  const { isTunnel, isBodiless, how } = shape;
  const behind = rest.slice(head.length);
  const none = {
    head,
    body: '',
    trailers: '',
    framing: 'none',
    isWhole: true,
    text: head,
  } as const;
  if (isTunnel) return toTheEnd(head, behind, true);
  if (isBodiless) return { message: none, length: head.length };
  if (/^transfer-encoding:.*chunked/im.test(head)) return chunked(head, behind);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length !== undefined) {
    const body = behind.slice(0, Number(length));
    const isWhole = body.length === Number(length);
    const message: Message = {
      head,
      body,
      trailers: '',
      framing: 'length',
      isWhole,
      text: head + body,
    };
    return { message, length: message.text.length };
  }
  if (how.isResponse) return toTheEnd(head, behind, how.isEnded);
  return { message: none, length: head.length };
}

function toTheEnd(head: string, body: string, isWhole: boolean) {
  const message: Message = {
    head,
    body,
    trailers: '',
    framing: 'rest',
    isWhole,
    text: head + body,
  };
  return { message, length: message.text.length };
}

/** Chunks are joined; what is not as everybody writes it stays as it came. */
function chunked(head: string, behind: string): { message: Message; length: number } {
  let body = '';
  let at = 0;
  let isCanonical = true;
  const cut = (): { message: Message; length: number } => {
    const shown = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
    const text = head + (isCanonical ? shown : behind);
    const message: Message = { head, body, trailers: '', framing: 'chunked', isWhole: false, text };
    return { message, length: head.length + behind.length };
  };
  for (;;) {
    const end = behind.indexOf('\r\n', at);
    if (end < 0) return cut();
    const line = behind.slice(at, end);
    const size = Number.parseInt(line, 16);
    isCanonical &&= line === size.toString(16);
    if (Number.isNaN(size)) return cut();
    at = end + 2;
    if (size === 0) break;
    body += behind.slice(at, at + size);
    if (behind.length < at + size + 2) return cut();
    isCanonical &&= behind.slice(at + size, at + size + 2) === '\r\n';
    at += size + 2;
  }
  const last = behind.startsWith('\r\n', at) ? at : behind.indexOf('\r\n\r\n', at) + 2;
  if (last === 1) return cut();
  const trailers = behind.slice(at, last);
  const chunks = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
  const length = head.length + last + 2;
  const text = isCanonical
    ? `${head}${chunks}0\r\n${trailers}\r\n`
    : head + behind.slice(0, last + 2);
  return { message: { head, body, trailers, framing: 'chunked', isWhole: true, text }, length };
}

export function statusOf({ head }: Message): number {
  return Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1] ?? 0);
}

/** Values of that name, joined; undefined: not there. */
export function fieldOf({ head }: Message, name: string): string | undefined {
  const values = head
    .split('\r\n')
    .slice(1)
    .filter((line) => line.toLowerCase().startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trim());
  return values.length === 0 ? undefined : values.join(', ');
}
