// `edgectl completion bash|zsh|fish`: a script made from the command table, so that it cannot lag
// behind it.

import type { Command, Run } from './command.ts';
import { COMMANDS } from './commands.ts';
import { EXIT } from './exit.ts';

/** `prefix words → what may follow`, for every prefix of every command's name. */
function nextWords(commands: readonly Command[]): Map<string, Set<string>> {
  const next = new Map<string, Set<string>>();
  const add = (prefix: string, word: string) => {
    const words = next.get(prefix) ?? new Set();
    next.set(prefix, words.add(word));
  };
  for (const command of commands) {
    const words = command.name.split(' ');
    for (const [at, word] of words.entries()) add(words.slice(0, at).join(' '), word);
    for (const choice of command.positionals[0]?.choices ?? []) add(command.name, choice);
  }
  return next;
}

type Words = {
  /** What may follow, by the words before. */
  next: [prefix: string, words: string[]][];
  flags: [command: string, names: string[]][];
  /** Commands that take files. */
  takingFiles: string[];
};

function wordsOf(commands: readonly Command[]): Words {
  return {
    next: [...nextWords(commands)].map(([prefix, words]) => [prefix, [...words]]),
    flags: commands.map(({ name, flags }) => [name, [...flags.map((flag) => flag.name), 'help']]),
    takingFiles: commands
      .filter(({ positionals }) => positionals.some(({ name }) => name === 'FILE'))
      .map(({ name }) => name),
  };
}

const dashed = (names: readonly string[]): string => names.map((name) => `--${name}`).join(' ');

export function bashCompletion(commands: readonly Command[]): string {
  const { next, flags, takingFiles } = wordsOf(commands);
  const cases = next.map(([prefix, words]) => `    '${prefix}') words='${words.join(' ')}' ;;`);
  const flagCases = flags.map(([name, own]) => `    '${name}'*) flags='${dashed(own)}' ;;`);
  return `# bash completion of edgectl; made by: edgectl completion bash
_edgectl() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local name='' word words='' flags='--help'
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) name="\${name:+$name }$word" ;; esac
  done
  case "$previous" in
    -f|--file|--config|--socket|--pcap) compopt -o default; COMPREPLY=(); return ;;
    -o|--output) COMPREPLY=($(compgen -W 'table yaml json' -- "$current")); return ;;
  esac
  case "$name" in
${cases.join('\n')}
  esac
  case "$name" in
${flagCases.join('\n')}
  esac
  case "$name" in
    ${takingFiles.map((name) => `'${name}'*`).join('|')}) compopt -o default ;;
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
  esac
}
complete -F _edgectl edgectl
`;
}

export function zshCompletion(commands: readonly Command[]): string {
  const { next, flags, takingFiles } = wordsOf(commands);
  const cases = next.map(([prefix, words]) => `    '${prefix}') next=(${words.join(' ')}) ;;`);
  const flagCases = flags.map(([name, own]) => `    '${name}'*) flags=(${dashed(own)}) ;;`);
  return `#compdef edgectl
# zsh completion of edgectl; made by: edgectl completion zsh
_edgectl() {
  local name='' word
  local -a next flags
  flags=(--help)
  for word in \${words[2,CURRENT-1]}; do
    [[ $word == -* ]] || name="\${name:+$name }$word"
  done
  case \${words[CURRENT-1]} in
    -f|--file|--config|--socket|--pcap) _files; return ;;
    -o|--output) compadd table yaml json; return ;;
  esac
  case $name in
${cases.join('\n')}
  esac
  case $name in
${flagCases.join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then compadd -- $flags; return; fi
  compadd -- $next
  case $name in
    ${takingFiles.map((name) => `'${name}'*`).join('|')}) _files ;;
  esac
}
compdef _edgectl edgectl
`;
}

export function fishCompletion(commands: readonly Command[]): string {
  const { next, flags, takingFiles } = wordsOf(commands);
  const at = next.map(
    ([prefix, words]) =>
      `complete -c edgectl -n "__edgectl_at '${prefix}'" -a '${words.join(' ')}'`,
  );
  const under = flags.flatMap(([name, own]) =>
    own.map((flag) => `complete -c edgectl -n "__edgectl_under '${name}'" -l ${flag}`),
  );
  const files = takingFiles.map((name) => `complete -c edgectl -n "__edgectl_under '${name}'" -F`);
  return `# fish completion of edgectl; made by: edgectl completion fish
function __edgectl_words
  string match -v -- '-*' (commandline -opc)[2..]
end
function __edgectl_at
  set -l words (__edgectl_words)
  test "$words" = "$argv[1]"
end
function __edgectl_under
  set -l words (__edgectl_words)
  string match -q -- "$argv[1]*" "$words"
end
complete -c edgectl -f
${at.join('\n')}
${under.join('\n')}
${files.join('\n')}
`;
}

const SHELLS: Readonly<Record<string, (commands: readonly Command[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

export const completion: Run = async (context, args) => {
  const shell = args.positionals[0] ?? '';
  const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (script === undefined) {
    const known = Object.keys(SHELLS).join(', ');
    await context.err.line(`edgectl: no completion for "${shell}", only for ${known}`);
    return EXIT.usage;
  }
  await context.out.write(script(COMMANDS));
  return EXIT.ok;
};
