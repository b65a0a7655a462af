/** Completion for zsh. */

import {
  type CompletableCommand,
  type CompletableOption,
  quoted,
  stepsOf,
  type Values,
} from "./tree.ts";

export function zshCompletion(tree: readonly CompletableCommand[]): string {
  return `#compdef jwks-server
# Completion of jwks-server for zsh. Load it with: source <(jwks-server completion zsh)
# or write it into a file _jwks-server in a directory of $fpath.

_jwks-server() {
  local place=
  local -a commands
  while (( CURRENT > 2 )); do
    case "$place $words[2]" in
      ${stepsOf(tree).map(quoted).join(" | ")})
        place+=/$words[2]
        shift words
        (( CURRENT-- ))
        ;;
      *) break ;;
    esac
  done
  case $place in
${tree.map(armOf).join("\n")}
  esac
}

if [[ $funcstack[1] == _jwks-server ]]; then
  _jwks-server "$@"
else
  compdef _jwks-server jwks-server
fi`;
}

function armOf({ place, commands, options, arguments: own }: CompletableCommand): string {
  const specs = [
    ...options.flatMap(optionSpecs),
    ...own.map(({ name, values }) => `:${escaped(name)}:${actionOf(values)}`),
  ].map((spec) => ` \\\n          ${quoted(spec)}`).join("");
  const complete = `_arguments -S :${specs}`;
  if (commands.length === 0) return `    ${quoted(place)})\n      ${complete} ;;`;
  const described = commands.map(({ name, description }) =>
    `\n        ${quoted(`${escaped(name)}:${description}`)}`
  ).join("");
  return `    ${quoted(place)})
      commands=(${described}
      )
      if [[ $words[CURRENT] == -* ]]; then
        ${complete}
      else
        _describe -t commands command commands
      fi
      ;;`;
}

/** One for each flag, each of which keeps the others from being offered again. */
function optionSpecs({ flags, description, value }: CompletableOption): string[] {
  const explained = `[${escaped(description)}]`;
  if (value === undefined) return flags.map((flag) => `(${flags.join(" ")})${flag}${explained}`);
  return flags.map((flag) => `*${flag}=${explained}:value:${actionOf(value)}`);
}

function actionOf(values: Values): string {
  if (values === "file") return "_files";
  if (values === "directory") return "_path_files -/";
  return values === "other" ? " " : `(${values.join(" ")})`;
}

/** What means something to `_arguments` and `_describe`. */
function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, "\\$&");
}
