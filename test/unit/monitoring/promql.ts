// The part of PromQL that our rules and panels are written in: enough to find every metric, label
// and threshold in an expression, and to refuse what is no expression. promtool knows the whole.

export type Matcher = { label: string; operator: string; value: string };
export type Selector = { metric: string; matchers: Matcher[] };
export type Comparison = { left: string; operator: string; value: number };
export type Parsed = {
  selectors: Selector[];
  /** Labels of `by`, `without`, `on` and `ignoring`. */
  groupings: string[];
  comparisons: Comparison[];
};

const TEXT = /"(?:[^"\\]|\\.)*"/;
const NUMBER = /\d+(?:\.\d+)?(?:[smhd]\b)?/;
const SIGN = /=~|!~|!=|==|>=|<=|[-+*/(){}[\],=<>]/;
const WORD = /[a-zA-Z_:][\w:]*|\$\w+/;
const TOKEN = `\\s*(?:${[TEXT, NUMBER, SIGN, WORD].map(({ source }) => source).join('|')})`;
const AGGREGATIONS = new Set(['sum', 'avg', 'min', 'max', 'count', 'topk']);
const FUNCTIONS = new Set(['rate', 'increase', 'changes', 'time', 'histogram_quantile', 'absent']);
const COMPARISONS = new Set(['==', '!=', '>', '<', '>=', '<=']);
const LOGICAL = new Set(['and', 'or', 'unless']);
const BINARY = new Set([...COMPARISONS, ...LOGICAL, '+', '-', '*', '/']);

/** Throws an Error that names the place. */
export function parsePromql(text: string): Parsed {
  const parser = new Parser(text);
  parser.expression();
  parser.end();
  return parser.found;
}

class Parser {
  readonly found: Parsed = { selectors: [], groupings: [], comparisons: [] };
  readonly #text: string;
  readonly #tokens: { text: string; at: number }[] = [];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    const token = new RegExp(TOKEN, 'y');
    while (token.lastIndex < text.trimEnd().length) {
      const at = token.lastIndex;
      const found = token.exec(text);
      if (found === null) throw new Error(`no token at ${at}: ${text.slice(at, at + 20)}`);
      this.#tokens.push({ text: found[0].trim(), at });
    }
  }

  end(): void {
    if (this.#next < this.#tokens.length) this.#fail('the end');
  }

  expression(): void {
    let start = this.#tokens[this.#next]?.at ?? 0;
    this.#operand();
    for (let word = this.#peek(); word !== undefined && BINARY.has(word); word = this.#peek()) {
      const { at = 0 } = this.#tokens[this.#next] ?? {};
      this.#next++;
      if (this.#peek() === 'on' || this.#peek() === 'ignoring') this.#labels();
      const value = Number(this.#peek());
      if (COMPARISONS.has(word) && !Number.isNaN(value)) {
        const left = this.#text.slice(start, at).trim();
        this.found.comparisons.push({ left, operator: word, value });
      }
      if (LOGICAL.has(word)) start = this.#tokens[this.#next]?.at ?? 0;
      this.#operand();
    }
  }

  #peek(): string | undefined {
    return this.#tokens[this.#next]?.text;
  }

  #take(text: string): void {
    if (this.#peek() !== text) this.#fail(text);
    this.#next++;
  }

  #fail(wanted: string): never {
    const { at = this.#text.length } = this.#tokens[this.#next] ?? {};
    throw new Error(`${wanted} is missing at ${at}: ${this.#text.slice(at, at + 20)}`);
  }

  #operand(): void {
    const word = this.#peek();
    if (word === undefined) this.#fail('an operand');
    if (word === '(') {
      this.#next++;
      this.expression();
      this.#take(')');
    } else if (/^\d/.test(word)) this.#next++;
    else if (AGGREGATIONS.has(word)) this.#aggregation();
    else if (FUNCTIONS.has(word)) this.#call();
    else if (/^[a-zA-Z_:]/.test(word)) this.#selector();
    else this.#fail('an operand');
  }

  #aggregation(): void {
    this.#next++;
    const isBefore = this.#peek() === 'by' || this.#peek() === 'without';
    if (isBefore) this.#labels();
    this.#arguments();
  }

  #call(): void {
    this.#next++;
    this.#arguments();
  }

  #arguments(): void {
    this.#take('(');
    while (this.#peek() !== ')') {
      this.expression();
      if (this.#peek() === ',') this.#next++;
    }
    this.#take(')');
  }

  #labels(): void {
    this.#next++;
    this.#take('(');
    while (this.#peek() !== ')') {
      const word = this.#peek() ?? this.#fail(')');
      if (word !== ',') this.found.groupings.push(word);
      this.#next++;
    }
    this.#take(')');
  }

  #selector(): void {
    const metric = this.#peek() ?? '';
    this.#next++;
    const matchers: Matcher[] = [];
    if (this.#peek() === '{') {
      this.#next++;
      while (this.#peek() !== '}') {
        const [label = '', operator = '', value = ''] = this.#tokens
          .slice(this.#next, this.#next + 3)
          .map(({ text }) => text);
        if (!/^(=|!=|=~|!~)$/.test(operator) || !value.startsWith('"')) this.#fail('a matcher');
        matchers.push({ label, operator, value: JSON.parse(value) as string });
        this.#next += 3;
        if (this.#peek() === ',') this.#next++;
      }
      this.#take('}');
    }
    if (this.#peek() === '[') {
      this.#next++;
      if (!/^(\d+[smhd]|\$__rate_interval)$/.test(this.#peek() ?? '')) this.#fail('a range');
      this.#next++;
      this.#take(']');
    }
    this.found.selectors.push({ metric, matchers });
  }
}
