/** Shells that complete lines with a script of ours. */

import assert from "node:assert/strict";
import { withTempDir } from "../support.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * Programs of each shell that are given the script and lines to complete, and print the candidates of
 * each, one a line, and then a line of its own.
 */
const DRIVERS: Record<Shell, string> = {
  bash: `
    source "$1"; shift
    for line; do
      COMP_WORDBREAKS=$' \\t\\n=' 
      read -r -a COMP_WORDS <<<"\${line//=/ = }"
      [[ $line == *' ' ]] && COMP_WORDS+=('')
      COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
      COMPREPLY=(stale)
      _jwks_server
      printf '%s\\n' "\${COMPREPLY[@]}" END
    done`,
  fish: `
    source $argv[1]
    for line in $argv[2..-1]
      complete -C $line | string replace -r '\\t.*' ''
      echo END
    end`,
  // In a terminal of its own; what is offered there is written down, and a key says that it is all.
  zsh: `
    zmodload zsh/zpty
    directory=$1:h
    mkfifo $directory/over
    exec 3<>$directory/over
    zpty shell zsh -f -i
    zpty -w shell "autoload -U compinit; compinit -u -D; source $1; offered=$directory/offered"
    zpty -w shell 'compadd() {
      local -a hits
      [[ " $* " == *" -"[OAD]" "* ]] || { builtin compadd -O hits "$@"; print -rl -- $hits >>$offered }
      builtin compadd "$@"
    }'
    zpty -w shell "report() { zle complete-word; BUFFER=; print >$directory/over }"
    zpty -w shell "zle -N report; bindkey '^T' report"
    for line in "\${@:2}"; do
      : >$directory/offered
      zpty -w -n shell "$line"$'\\x14'
      read -t 60 -u 3 || exit 1
      cat $directory/offered
      print END
    done
    zpty -d shell`,
};

/** How a shell is given a program and its arguments, with no file of the user's read before. */
const FLAGS: Record<Shell, (program: string) => string[]> = {
  bash: (program) => ["--norc", "-c", program, "bash"],
  zsh: (program) => ["-f", "-c", program, "zsh"],
  fish: (program) => ["--no-config", "-c", program],
};

/** What a shell offers for each of the lines, sorted. */
export async function offers(
  shell: Shell,
  { script, lines }: { script: string; lines: readonly string[] },
): Promise<string[][]> {
  let found: string[][] = [];
  await withTempDir(async (directory) => {
    const file = `${directory}/script`;
    await Deno.writeTextFile(file, script);
    await Deno.mkdir(`${directory}/here/folder`, { recursive: true });
    await Deno.writeTextFile(`${directory}/here/key file.pem`, "");
    const { success, ...output } = await new Deno.Command(shell, {
      args: [...FLAGS[shell](DRIVERS[shell]), file, ...lines],
      cwd: `${directory}/here`,
      env: { HOME: directory, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory },
    }).output();
    const [stdout, stderr] = [output.stdout, output.stderr].map(decode);
    assert.deepEqual({ success, stderr }, { success: true, stderr: "" });
    found = stdout!.split("END\n").slice(0, -1).map(candidates);
  });
  assert.equal(found.length, lines.length);
  return found;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** As the user means them: without what quotes a space, or ends a directory or an option. */
function candidates(text: string): string[] {
  const words = text.split(/\r?\n/).filter((word) => word !== "")
    .map((word) => word.replaceAll("\\", "").replace(/\/$/, "").replace(/^--\w+=/, ""));
  return [...new Set(words)].sort();
}
