/*
 * completion: scripts that make a shell complete commands and options. They hold the words themselves, so that pressing
 * the tabulator starts nothing.
 */
import { type Command } from 'commander';
import { KeyboundError } from 'keybound';
import { type Run } from '../shell.js';

/** What may follow each command ('' is none yet): commands, then options. */
function wordsOf(command: Command, path: readonly string[] = []): [path: string, words: string[]][] {
  const children = command.commands.map((child) => child.name());
  const options = command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long }) => long ?? []);
  return [
    [path.join(' '), [...children, ...options]],
    ...command.commands.flatMap((child) => wordsOf(child, [...path, child.name()])),
  ];
}

/** A line, or more, for each command that a word may lead to. */
const steps = (words: readonly [string, string[]][], line: (path: string) => string): string =>
  words.flatMap(([path]) => (path === '' ? [] : line(path))).join('\n');

const bash = (
  words: readonly [string, string[]][],
  globals: string,
): string => `# keybound completion for bash: eval "$(keybound completion bash)"
_keybound() {
  local current=\${COMP_WORDS[COMP_CWORD]} path= word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
${steps(words, (path) => `      '${path}') path='${path}' ;;`)}
    esac
  done
  case "$path" in
${words.map(([path, list]) => `    '${path}') words='${list.join(' ')}' ;;`).join('\n')}
  esac
  if [[ $current == -* ]]; then words="$words ${globals}"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ \${#COMPREPLY[@]} -eq 0 ]]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _keybound keybound
`;

const zsh = (words: readonly [string, string[]][], globals: string): string => `#compdef keybound
# keybound completion for zsh: keybound completion zsh > "\${fpath[1]}/_keybound", or eval "$(keybound completion zsh)"
_keybound() {
  local word keypath=
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${keypath:+$keypath }$word" in
${steps(words, (path) => `      '${path}') keypath='${path}' ;;`)}
    esac
  done
  case "$keypath" in
${words.map(([path, list]) => `    '${path}') compadd -- ${list.join(' ')} ;;`).join('\n')}
  esac
  [[ \${words[CURRENT]} == -* ]] && compadd -- ${globals}
  _files
}
compdef _keybound keybound
`;

const fish = (
  words: readonly [string, string[]][],
  globals: string,
): string => `# keybound completion for fish: keybound completion fish | source
function __keybound_at
    set -l path
    for word in (commandline -opc)[2..]
        switch "$path $word"
${steps(words, (path) => `            case ' ${path}'\n                set path ' ${path}'`)}
        end
    end
    test "$path" = "$argv[1]"
end
${words
  .map(
    ([path, list]) =>
      `complete -c keybound -n '__keybound_at "${path === '' ? '' : ` ${path}`}"' -a '${list.join(' ')}'`,
  )
  .join('\n')}
complete -c keybound -a '${globals}' -n 'string match -q -- "-*" (commandline -ct)'
`;

const shells: Readonly<Record<string, typeof bash>> = { bash, zsh, fish };

export function addCompletion(program: Command, run: Run): void {
  const known = Object.keys(shells);
  program
    .command('completion')
    .argument('<shell>', known.join(', '))
    .description('print a completion script for a shell')
    .action((name: string) =>
      run(async ({ printer }) => {
        const script = Object.hasOwn(shells, name) ? shells[name] : undefined;
        if (script === undefined) {
          throw new KeyboundError(
            'invalid-argument',
            `expected one of ${known.join(', ')}, got something else`,
          );
        }
        const globals = program.options.flatMap(({ long }) => long ?? []).join(' ');
        const text = script(wordsOf(program), globals);
        await printer.result({ shell: name, script: text }, text);
      }),
    );
}
