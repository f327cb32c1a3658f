// Which manual pages there are, and what each is made of: a README, a `--help`, the files in use.
// Pure.
import { inline, literal, manPage, roffOf, section, terms, verbatim } from './man.ts';

export type PageSource = {
  name: string;
  section: 1 | 8;
  /** Markdown; its heading of level 1 and what it says under Name become the NAME section. */
  text: string;
  /** What the program prints on --help. */
  help: string;
  /** `what it is`, where the text has no section Name. */
  summary?: string;
  /** What the rows of its help are, when they are no options. */
  rows?: string;
  files: readonly (readonly [path: string, what: string])[];
  seeAlso: readonly string[];
};

export type Edition = { version: string; date: string };

const NAME_SECTION = /^## Name\n+`[^`]+`: ([\s\S]*?)\n+(?=## )/m;
const TITLE = /^# .*\n+/;

export function pageOf(source: PageSource, { version, date }: Edition): string {
  const { summary, description } = nameOf(source);
  const help = readHelp(source.help);
  const files = source.files.length === 0 ? '' : `${section('Files')}${terms(source.files)}`;
  const body = [
    section('Name'),
    `${literal(source.name)} \\- ${inline(summary)}\n`,
    section('Synopsis'),
    verbatim([help.usage]),
    description,
    help.rows.length === 0 ? '' : `${section(source.rows ?? 'Options')}${terms(help.rows)}`,
    ...help.paragraphs.map((text) => `.PP\n${literal(text)}\n`),
    roffOf(rest(source.text)),
    help.examples.length === 0 ? '' : `${section('Example')}${verbatim(help.examples)}`,
    files,
    section('See also'),
    `${source.seeAlso.map((each) => inline(each)).join(',\n')}\n`,
  ];
  return manPage(
    { name: source.name, section: source.section, date, source: `Edgeplane ${version}` },
    body.join(''),
  );
}

/** `edge-x: what it is. More.` is a name, what it is, and the start of a description. */
function nameOf({ text, summary }: PageSource): { summary: string; description: string } {
  const said = summary ?? NAME_SECTION.exec(text)?.[1]?.replaceAll('\n', ' ') ?? '';
  const [, first = said, more = ''] = /^(.*?)\.(?: (.*))?$/.exec(said) ?? [];
  const own = /^## Description\n+([\s\S]*?)(?=\n## |$(?![\s\S]))/m.exec(text)?.[1] ?? '';
  const described = [more, own].filter((each) => each !== '').join('\n\n');
  const description = described === '' ? '' : `${section('Description')}${roffOf(described)}`;
  return { summary: first, description };
}

/** The text without what already stands above it; what came before the first section stays. */
function rest(text: string): string {
  const body = text
    .replace(TITLE, '')
    .replace(NAME_SECTION, '')
    .replace(/^## Description\n+[\s\S]*?(?=\n## |$(?![\s\S]))/m, '');
  return /^\s*#/.test(body) || body.trim() === '' ? body : `## Description\n\n${body}`;
}

type Help = { usage: string; rows: [string, string][]; paragraphs: string[]; examples: string[] };

const ROW = /^ {2}(\S.*?)(?: {2,}(.*))?$/;

/** `Usage: …`, rows `  --flag VALUE   what it does`, examples, and what else is said. */
function readHelp(text: string): Help {
  const [usage = '', ...lines] = text.trimEnd().split('\n');
  const help: Help = {
    usage: usage.replace(/^usage: /i, ''),
    rows: [],
    paragraphs: [],
    examples: [],
  };
  for (const line of lines) {
    const [, term = '', what] = ROW.exec(line) ?? [];
    if (what !== undefined) help.rows.push([term, what]);
    else if (term !== '') help.examples.push(term);
    else if (/^example: ./i.test(line)) help.examples.push(line.replace(/^example: /i, ''));
    else if (line !== '' && line !== 'example:') help.paragraphs.push(line);
  }
  return help;
}
