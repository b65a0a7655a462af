/** Completion for fish, from 3.0 on. */

import {
  type CompletableCommand,
  type CompletableOption,
  stepsOf,
  valuedOptions,
  type Values,
} from "./tree.ts";

export function fishCompletion(tree: readonly CompletableCommand[]): string {
  return `# Completion of jwks-server for fish. Load it with: jwks-server completion fish | source

# Whether the words so far lead to a command, and to its argument of a number if one is given.
function __jwks_server_at --argument-names wanted number
    set -l place ''
    set -l count 0
    set -l is_value 0
    set -l words (commandline -opc)
    for word in $words[2..-1]
        if test $is_value = 1
            set is_value 0
        else if contains -- "$place $word" ${list(stepsOf(tree))}
            set place $place/$word
        else if contains -- "$place $word" ${list(valuedOptions(tree))}
            set is_value 1
        else if not string match -q -- '-*' $word
            set count (math $count + 1)
        end
    end
    test "$place" = "$wanted"; and test -z "$number" -o "$number" = $count
end

complete -c jwks-server -f
${tree.flatMap(linesOf).join("\n")}`;
}

function linesOf(
  { place, commands, options, arguments: own }: CompletableCommand,
): string[] {
  return [
    ...commands.map(({ name, description }) =>
      lineOf(at(place, 0), `-a ${quoted(name)} -d ${quoted(description)}`)
    ),
    ...options.map((option) => lineOf(at(place), optionOf(option))),
    ...own.flatMap(({ values }, index) =>
      values === "other" ? [] : [lineOf(at(place, index), argumentOf(values))]
    ),
  ];
}

function optionOf({ flags, description, value }: CompletableOption): string {
  const names = flags.map((flag) =>
    flag.startsWith("--") ? `-l ${quoted(flag.slice(2))}` : `-s ${quoted(flag.slice(1))}`
  );
  const taken = value === undefined ? [] : [value === "file" ? "-r" : "-x", argumentOf(value)];
  return [...names, ...taken, "-d", quoted(description)].filter((part) => part !== "").join(" ");
}

function argumentOf(values: Values): string {
  if (values === "other") return "";
  if (values === "file") return "-F";
  if (values === "directory") return "-a '(__fish_complete_directories)'";
  return `-a ${quoted(values.join(" "))}`;
}

function at(place: string, number?: number): string {
  const words = number === undefined ? [place] : [place, String(number)];
  return ["__jwks_server_at", ...words.map(quoted)].join(" ");
}

function lineOf(condition: string, rest: string): string {
  return `complete -c jwks-server -n ${quoted(condition)} ${rest}`;
}

function list(texts: readonly string[]): string {
  return texts.map(quoted).join(" ");
}

/** In single quotes, within which fish knows these two alone. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
