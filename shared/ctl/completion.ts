// `edgectl completion bash`: a script made from the command table, so that it cannot lag behind it.

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

export function bashCompletion(commands: readonly Command[]): string {
  const cases = [...nextWords(commands)].map(
    ([prefix, words]) => `    '${prefix}') words='${[...words].join(' ')}' ;;`,
  );
  const flags = commands.map((command) => {
    const names = [...command.flags.map((flag) => `--${flag.name}`), '--help'];
    return `    '${command.name}'*) flags='${names.join(' ')}' ;;`;
  });
  const takingFiles = commands
    .filter(({ positionals }) => positionals.some(({ name }) => name === 'FILE'))
    .map(({ name }) => `'${name}'*`);
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
${flags.join('\n')}
  esac
  case "$name" in
    ${takingFiles.join('|')}) compopt -o default ;;
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
  esac
}
complete -F _edgectl edgectl
`;
}

export const completion: Run = async (context, args) => {
  const shell = args.positionals[0];
  if (shell !== 'bash') {
    await context.err.line(`edgectl: no completion for "${shell}", only for bash`);
    return EXIT.usage;
  }
  await context.out.write(bashCompletion(COMMANDS));
  return EXIT.ok;
};
