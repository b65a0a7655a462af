/**
 * Where a server of another project lives while it is tested against: a directory of its own, a user
 * who may run it, and a guardian that ends it and removes the directory, whatever becomes of the test.
 */

/** Who runs servers that refuse to be run by root. */
const USER = "postgres";

/** Waits for the end of its input, which is that of the test; then ends what has left its number. */
const GUARDIAN = `
trap "" INT TERM HUP
cat >/dev/null
for file in "$1"/*.pid; do
  [ -e "$file" ] || continue
  read -r pid <"$file"
  kill -CONT "$pid" $(cat "/proc/$pid/task/$pid/children")
  kill "-$2" "$pid"
  rounds=0
  while [ -e "$file" ] && [ "$rounds" -lt 500 ]; do
    rounds=$((rounds + 1))
    sleep 0.02
  done
  [ ! -e "$file" ] || kill -KILL "$pid"
done 2>/dev/null
rm -rf "$1"`;

/** Appends what a command says to the file that is named first. */
const LOGGED = `exec "$@" >>"$0" 2>&1`;

export class Place implements AsyncDisposable {
  readonly directory: string;
  readonly #guardian: Deno.ChildProcess;

  private constructor(directory: string, guardian: Deno.ChildProcess) {
    this.directory = directory;
    this.#guardian = guardian;
  }

  /**
   * Makes the directory. A server in it writes its process's number to a file `*.pid` there, and
   * removes that file when it ends, which `signal` makes it do at once.
   */
  static async make(signal: "QUIT" | "TERM"): Promise<Place> {
    const directory = await Deno.makeTempDir({ prefix: "jwks-server-test-" });
    const user = await otherUser();
    if (user !== undefined) await Deno.chown(directory, user.uid, user.gid);
    const guardian = await asUser(["sh", "-c", GUARDIAN, "guardian", directory, signal], {
      stdin: "piped",
    });
    return new Place(directory, guardian.spawn());
  }

  /** Writes a file that only the server's user may read, and gives its path. */
  async write(name: string, text: string): Promise<string> {
    const path = `${this.directory}/${name}`;
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    const user = await otherUser();
    if (user !== undefined) await Deno.chown(path, user.uid, user.gid);
    return path;
  }

  /** Runs a command to its end and gives its output; throws what it complained of. */
  async run(command: readonly string[]): Promise<string> {
    const { success, stdout, stderr } = await (await asUser(command)).output();
    if (!success) throw new Error(`${command[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout).trimEnd();
  }

  /** Starts a server, whose words go to the log. */
  async spawn(command: readonly string[]): Promise<Deno.ChildProcess> {
    const streams = { stdout: "null", stderr: "null" } as const;
    return (await asUser(["sh", "-c", LOGGED, this.#log, ...command], streams)).spawn();
  }

  /** What the servers here have said. */
  async log(): Promise<string> {
    return await Deno.readTextFile(this.#log).catch(() => "");
  }

  get #log(): string {
    return `${this.directory}/log`;
  }

  /** Ends every server here and removes the directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guardian.stdin.close();
    await this.#guardian.status;
  }
}

/**
 * A free port that the system gives to nobody who asks for any port, so that a server finds it again
 * after a restart.
 */
export async function steadyPort(): Promise<number> {
  const range = await Deno.readTextFile("/proc/sys/net/ipv4/ip_local_port_range");
  const lowest = 10_000;
  const highest = Math.max(Number.parseInt(range), lowest + 1000);
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    try {
      using _free = Deno.listen({ hostname: "127.0.0.1", port });
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Stops every process of a server where it is: it neither answers nor hangs up. */
export async function freeze(pid: number): Promise<void> {
  Deno.kill(pid, "SIGSTOP"); // first, so that no child is born any more
  for (const child of await children(pid)) Deno.kill(child, "SIGSTOP");
}

/** Lets them go on. */
export async function thaw(pid: number): Promise<void> {
  for (const child of await children(pid)) Deno.kill(child, "SIGCONT");
  Deno.kill(pid, "SIGCONT");
}

async function children(pid: number): Promise<number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return text.split(" ").filter(Boolean).map(Number);
}

async function asUser(
  command: readonly string[],
  streams: Deno.CommandOptions = {},
): Promise<Deno.Command> {
  const user = await otherUser();
  const prefix = user === undefined
    ? []
    : ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  const [program, ...args] = [...prefix, ...command];
  // In a directory that the user may enter.
  return new Deno.Command(program!, { args, cwd: "/", stdin: "null", ...streams });
}

/** Who runs the servers; `undefined` for whoever runs the tests. */
async function otherUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (Deno.uid() !== 0) return undefined;
  const line = new RegExp(`^${USER}:[^:]*:(\\\d+):(\\\d+):`, "m");
  const found = line.exec(await Deno.readTextFile("/etc/passwd"));
  if (found === null) throw new Error(`Root needs a user ${USER}, who runs servers in its place`);
  return { uid: Number(found[1]), gid: Number(found[2]) };
}
