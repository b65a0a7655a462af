/** What a process asks of the kernel, as strace writes it down, and how it is kept from that. */

import { works } from "../blackbox/skip.ts";

/** What changes files, or says that they are on the disk. */
export const CHANGES = [
  "openat",
  "write",
  "pwrite64",
  "ftruncate",
  "fsync",
  "fdatasync",
  "rename",
  "renameat",
  "renameat2",
  "link",
  "linkat",
  "unlink",
  "unlinkat",
] as const;

/** What is received and sent over sockets. */
const MESSAGES = ["recvfrom", "sendto", "sendmsg", "writev"];

export const canTrace = await works(
  ["strace", "-D", "--seccomp-bpf", "-f", "-e", "trace=fsync", "true"],
  "what a process does between two system calls",
);

/** A finished system call. */
export interface Call {
  name: string;
  /** Everything between the parentheses. */
  args: string;
  /** What was returned; less than 0 is a failure. */
  result: number;
  /** The lines of the trace at which it was begun and had its result. */
  begin: number;
  end: number;
  thread: string;
}

/** Runs a program and writes what it asks for into `file`; the program keeps its process number. */
export function tracing(file: string): string[] {
  const calls = [...CHANGES, ...MESSAGES].join();
  return [...strace(file, "--seccomp-bpf", "-s", "65536", "-e", `trace=${calls}`), "--"];
}

/** Runs a program and tampers with a system call on one of these files; see `inject` in strace(1). */
export function tampering(call: string, how: string, files: readonly string[]): string[] {
  return [...strace("/dev/null", ...injection(call, how, files)), "--"];
}

/** The same for a process that runs, until the function is called that it gives. */
export async function tamperWith(
  pid: number,
  call: string,
  how: string,
  files: readonly string[],
): Promise<() => Promise<void>> {
  const [command, ...args] = strace("/dev/null", ...injection(call, how, files));
  const tracer = new Deno.Command(command!, {
    args: [...args.filter((arg) => arg !== "-D"), "-p", String(pid)],
    stdin: "null",
    stderr: "piped",
  }).spawn();
  const said = tracer.stderr.getReader();
  await said.read(); // that it is attached
  said.releaseLock();
  return async () => {
    tracer.kill("SIGTERM");
    await Promise.all([tracer.stderr.cancel(), tracer.status]);
  };
}

/** Not by seccomp: strace sends no signals then. */
function injection(call: string, how: string, files: readonly string[]): string[] {
  const paths = files.flatMap((file) => ["-P", file]);
  return ["-e", `trace=${call}`, "-e", `inject=${call}:${how}`, ...paths];
}

/** A tracer that is no parent of the program, which so keeps its place in the family. */
function strace(file: string, ...options: string[]): string[] {
  return ["strace", "-D", "-f", "-y", "-o", file, ...options];
}

/** The calls of a trace that have an end, in the order of their ends. */
export function parseTrace(trace: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, { text: string; begin: number }>();
  for (const [line, text] of trace.split("\n").entries()) {
    const [, thread, rest] = /^(\d+) +(.*)$/.exec(text) ?? [];
    if (thread === undefined || rest === undefined) continue;
    if (rest.endsWith(" <unfinished ...>")) {
      unfinished.set(thread, { text: rest.slice(0, -" <unfinished ...>".length), begin: line });
      continue;
    }
    const [resumed] = /^<\.\.\. \w+ resumed>/.exec(rest) ?? [];
    const start = resumed === undefined ? undefined : unfinished.get(thread);
    const whole = start === undefined ? rest : start.text + rest.slice(resumed!.length);
    const [, name, args, result] = /^(\w+)\((.*)\) += (-?\d+)/.exec(whole) ?? [];
    if (name === undefined) continue; // a signal, an exit, or one that never ended
    const begin = start?.begin ?? line;
    calls.push({ name, args: args!, result: Number(result), begin, end: line, thread });
  }
  return calls;
}

/** The file that the first argument, a descriptor, stands for. */
export function fileOf({ args }: Call): string | undefined {
  return /^\d+<([^>]*)>/.exec(args)?.[1];
}

/** The strings among the arguments. */
export function stringsOf({ args }: Call): Uint8Array[] {
  return [...args.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => unescape(text!));
}

const ESCAPES: Record<string, number> = { n: 10, t: 9, r: 13, v: 11, f: 12, a: 7, b: 8 };

/** The bytes that a C string literal means. */
function unescape(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (const [, octal, letter, plain] of text.matchAll(/\\([0-7]{1,3})|\\(.)|([^\\])/g)) {
    bytes[length++] = octal !== undefined
      ? parseInt(octal, 8)
      : letter !== undefined
      ? ESCAPES[letter] ?? letter.charCodeAt(0)
      : plain!.charCodeAt(0);
  }
  return bytes.slice(0, length);
}
