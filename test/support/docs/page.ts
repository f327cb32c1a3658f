// The commands of a page, in their order: blocks that say ```sh run, comments <!-- run: … --> for
// what a reader sees happen but does not type, and ```text output after a block, what it says.
export type Step = {
  /** Of the page, from 1. */
  line: number;
  /** `on=`: whose command it is; the appliance's unless told. */
  on: string;
  script: string;
  /** Whatever it exits with is well. */
  anyExit: boolean;
  /** Is started and left running. */
  inBackground: boolean;
  /** Lines; `…` is anything, and blanks count as one. */
  output: readonly string[];
};

export function stepsOf(page: string): Step[] {
  const steps: Step[] = [];
  const lines = page.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const hidden = /^<!-- run( on=\w+)?: (background )?(.*) -->$/.exec(line);
    if (hidden !== null) {
      const [, on = '', background, script = ''] = hidden;
      steps.push(step(at + 1, on, script, background !== undefined));
    }
    const fence = /^```(sh run|text output)(.*)$/.exec(line);
    if (fence === null) continue;
    const end = lines.indexOf('```', at);
    const body = lines.slice(at + 1, end);
    const last = steps.at(-1);
    if (fence[1] === 'sh run') steps.push(step(at + 1, fence[2] ?? '', body.join('\n'), false));
    else if (last !== undefined) steps[steps.length - 1] = { ...last, output: body };
    at = end;
  }
  return steps;
}

function step(line: number, words: string, script: string, inBackground: boolean): Step {
  const on = /on=(\w+)/.exec(words)?.[1] ?? 'host';
  return { line, on, script, anyExit: words.includes('exit=any'), inBackground, output: [] };
}

/** Undefined when the output is as shown: all its lines in order, others only at `…`. */
export function difference(shown: readonly string[], output: string): string | undefined {
  const pattern = shown.map((line) =>
    line.trim() === '…' ? '(?:.*\\n)*?' : `${patternOf(line)} *\\n`,
  );
  const whole = new RegExp(`^${pattern.join('')}$`);
  const said = `${output.trimEnd()}\n`;
  if (shown.length === 0 || whole.test(said)) return undefined;
  return `the page shows\n${shown.join('\n')}\nit says\n${said}`;
}

function patternOf(line: string): string {
  const words = line.trim().split(/\s+/);
  const quoted = words.map((word) =>
    word === '…' ? '.*' : word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
  );
  return ` *${quoted.join(' +')}`;
}
