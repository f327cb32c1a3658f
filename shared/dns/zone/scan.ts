// Words of a master file (RFC 1035 §5.1): blanks, comments, quotation marks, escapes, parentheses
// that carry an entry over lines. Works on character codes, for zones have millions of words. Pure.

export const END = 0;
export const LINE_END = 1;
/** At the start of a line: no owner is written. */
export const BLANK = 2;
export const WORD = 3;
export const QUOTED = 4;
/** `broken` says what is wrong; the rest of its line is skipped. */
export const BROKEN = 5;

const [NUL, TAB, NEWLINE, RETURN, SPACE] = [0, 9, 10, 13, 32];
const [QUOTE, OPEN, CLOSE, SEMICOLON, BACKSLASH] = [0x22, 0x28, 0x29, 0x3b, 0x5c];

/** By character code: 1 ends a word, 2 is a backslash. */
const WORD_ENDS = new Uint8Array(256);
for (const code of [NUL, TAB, NEWLINE, RETURN, SPACE, QUOTE, OPEN, CLOSE, SEMICOLON]) {
  WORD_ENDS[code] = 1;
}
WORD_ENDS[BACKSLASH] = 2;

/** Tokens one after the other; `start`, `end` and `line` are of the last one. */
export class Scanner {
  readonly text: string;
  /** Of WORD and QUOTED: of what is inside of the quotation marks, escapes as written. */
  start = 0;
  end = 0;
  /** Of the last token, from 1. */
  line = 1;
  broken = '';
  #at = 0;
  #atLine = 1;
  #lineStart = 0;
  /** Where the line of the last token begins. */
  #tokenLineStart = 0;
  #depth = 0;
  #openedLine = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Of the last token, from 1. */
  get column(): number {
    return this.start - this.#tokenLineStart + 1;
  }

  word(): string {
    return this.text.slice(this.start, this.end);
  }

  next(): number {
    const { text } = this;
    if (this.#depth === 0 && this.#at === this.#lineStart && this.#skipBlanks()) {
      return this.#token(BLANK, this.#lineStart, this.#at);
    }
    for (;;) {
      if (this.#at >= text.length) return this.#atEnd();
      const code = text.charCodeAt(this.#at);
      if (code > SPACE && code < 256 && WORD_ENDS[code] !== 1) return this.#word();
      if (code === SPACE || code === TAB) this.#at++;
      else if (code === NEWLINE || code === RETURN) {
        this.#token(LINE_END, this.#at, this.#at);
        this.#newline();
        if (this.#depth === 0) return LINE_END;
      } else if (code === SEMICOLON) this.#skipLine();
      else if (code === OPEN) this.#open();
      else if (code === CLOSE) {
        if (this.#depth === 0) return this.#fail('")" without a "("', this.#at);
        this.#depth--;
        this.#at++;
      } else if (code === QUOTE) return this.#quoted();
      else if (code === NUL) return this.#fail('a NUL byte: write it as \\000', this.#at);
      else return this.#word();
    }
  }

  /** To the end of the entry that a problem was found in; the next token begins a line. */
  skipEntry(last: number): void {
    for (let kind = last; kind !== LINE_END && kind !== END; ) kind = this.next();
  }

  #token(kind: number, start: number, end: number): number {
    this.start = start;
    this.end = end;
    this.line = this.#atLine;
    this.#tokenLineStart = this.#lineStart;
    return kind;
  }

  #word(): number {
    const { text } = this;
    const start = this.#at;
    let at = start;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      const ends = code < 256 ? WORD_ENDS[code] : 0;
      if (ends === 0) continue;
      if (ends === 1) break;
      const escaped = text.charCodeAt(at + 1);
      if (escaped !== NEWLINE && escaped !== RETURN && escaped !== NUL) at++;
    }
    this.#at = Math.min(at, text.length); // a backslash may be the last character
    return this.#token(WORD, start, this.#at);
  }

  #quoted(): number {
    const { text } = this;
    const opened = this.#at;
    const [line, lineStart] = [this.#atLine, this.#lineStart];
    this.#at++;
    while (this.#at < text.length) {
      const code = text.charCodeAt(this.#at);
      if (code === QUOTE) {
        this.start = opened + 1;
        this.end = this.#at++;
        this.line = line;
        this.#tokenLineStart = lineStart;
        return QUOTED;
      }
      if (code === NUL) return this.#fail('a NUL byte: write it as \\000', this.#at);
      if (code === NEWLINE || code === RETURN) break;
      this.#at++;
      // As in BIND, a line may end amid a text when a backslash says that this is meant.
      if (code === BACKSLASH && this.#at < text.length) this.#escaped();
    }
    this.#fail('a quotation mark is not closed on its line', opened);
    this.line = line;
    this.#tokenLineStart = lineStart;
    return BROKEN;
  }

  #escaped(): void {
    const code = this.text.charCodeAt(this.#at);
    if (code === NEWLINE) this.#newline();
    else if (code !== RETURN && code !== NUL) this.#at++;
  }

  #fail(message: string, at: number): number {
    this.broken = message;
    this.#token(BROKEN, at, at + 1);
    this.#skipLine();
    this.#depth = 0;
    return BROKEN;
  }

  #open(): void {
    if (this.#depth++ === 0) this.#openedLine = this.#atLine;
    this.#at++;
  }

  #atEnd(): number {
    if (this.#depth > 0) {
      return this.#fail(`the "(" of line ${this.#openedLine} is not closed`, this.#at);
    }
    return this.#token(END, this.#at, this.#at);
  }

  #skipBlanks(): boolean {
    const start = this.#at;
    for (; this.#at < this.text.length; this.#at++) {
      const code = this.text.charCodeAt(this.#at);
      if (code !== SPACE && code !== TAB) break;
    }
    return this.#at > start;
  }

  #skipLine(): void {
    for (; this.#at < this.text.length; this.#at++) {
      const code = this.text.charCodeAt(this.#at);
      if (code === NEWLINE || code === RETURN) return;
    }
  }

  /** CR, LF or CR LF. */
  #newline(): void {
    const code = this.text.charCodeAt(this.#at++);
    if (code === RETURN && this.text.charCodeAt(this.#at) === NEWLINE) this.#at++;
    this.#atLine++;
    this.#lineStart = this.#at;
  }
}
