/** Completion for bash, from 3.2 on (which is why the last patterns have both parentheses). */

import { type CompletableCommand, quoted, stepsOf, valuedOptions, type Values } from "./tree.ts";

export function bashCompletion(tree: readonly CompletableCommand[]): string {
  return `# Completion of jwks-server for bash. Load it with: source <(jwks-server completion bash)

_jwks_server() {
  local current=\${COMP_WORDS[COMP_CWORD]} place= option= count=0 words= kind= word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    [[ $word == = ]] && continue
    if [[ -n $option ]]; then
      option=
      continue
    fi
    case "$place $word" in
      ${patterns(stepsOf(tree))}) place=$place/$word ;;
      ${patterns(valuedOptions(tree))}) option=$word ;;
      *' -'*) ;;
      *) count=$((count + 1)) ;;
    esac
  done
  [[ $current == = ]] && current=
  if [[ -n $option ]]; then
    case "$place $option" in
${arms(tree.flatMap(optionArms))}
    esac
  elif [[ $current == -* ]]; then
    case $place in
${arms(tree.map(({ place, options }) => [place, words(options.flatMap(({ flags }) => flags))]))}
    esac
  else
    case "$place $count" in
${arms(tree.flatMap(argumentArms))}
    esac
  fi
  COMPREPLY=()
  while IFS= read -r word; do
    COMPREPLY+=("$word")
  done < <(
    case $kind in
      (file) compgen -f -- "$current" ;;
      (directory) compgen -d -- "$current" ;;
      (*) compgen -W "$words" -- "$current" ;;
    esac
  )
  [[ -n $kind ]] && compopt -o filenames 2>/dev/null
  return 0
}

complete -F _jwks_server jwks-server`;
}

/** What is looked at, and what is then set. */
type Arm = readonly [pattern: string, assignment: string];

function optionArms({ place, options }: CompletableCommand): Arm[] {
  return options.flatMap(({ flags, value }) =>
    value === undefined ? [] : flags.flatMap((flag) => armOf(`${place} ${flag}`, value))
  );
}

function argumentArms({ place, commands, arguments: own }: CompletableCommand): Arm[] {
  const names = commands.map(({ name }) => name);
  const first: Arm[] = names.length === 0 ? [] : [[`${place} 0`, words(names)]];
  return [...first, ...own.flatMap(({ values }, index) => armOf(`${place} ${index}`, values))];
}

/** What only the user knows is not completed. */
function armOf(pattern: string, values: Values): Arm[] {
  if (values === "other") return [];
  return [[pattern, typeof values === "string" ? `kind=${values}` : words(values)]];
}

function words(list: readonly string[]): string {
  return `words=${quoted(list.join(" "))}`;
}

function arms(list: readonly Arm[]): string {
  return list.map(([pattern, assignment]) => `      ${quoted(pattern)}) ${assignment} ;;`)
    .join("\n");
}

function patterns(list: readonly string[]): string {
  return list.map(quoted).join(" | ");
}
