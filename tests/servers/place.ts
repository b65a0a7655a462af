/**
 * Where a server of another project lives while it is tested against: a directory of its own, a user
 * who may run it, and a guardian that ends it and removes the directory, whatever becomes of the test.
 */

/** Who runs servers that refuse to be run by root. */
const USER = "postgres";

/**
 * Waits for the end of its input, which is that of the test; then ends every process that works in
 * the directory, frozen or not, by the signal and, when that is no use, by SIGKILL.
 */
const GUARDIAN = `
trap "" INT TERM HUP
cat >/dev/null
rounds=0
signal=$2
while
  processes=$(ls -l /proc/[0-9]*/cwd | sed -n "s|.* /proc/\\([0-9]*\\)/cwd -> $1\\(/.*\\)*$|\\1|p")
  [ -n "$processes" ]
do
  kill "-$signal" $processes
  kill -CONT $processes
  rounds=$((rounds + 1))
  [ "$rounds" -lt 200 ] || signal=KILL
  sleep 0.05
done 2>/dev/null
rm -rf "$1"`;

/** Starts it as nobody's child: Deno ends its own children when it, or a worker of it, ends. */
const LAUNCH = `exec 3<&0; sh -c "$0" guardian "$@" <&3 &`;

/** Appends what a command says to the file that is named first. */
const LOGGED = `exec "$@" >>"$0" 2>&1`;

export class Place implements AsyncDisposable {
  readonly directory: string;
  readonly #guardian: Deno.ChildProcess;

  private constructor(directory: string, guardian: Deno.ChildProcess) {
    this.directory = directory;
    this.#guardian = guardian;
  }

  /** Makes the directory; `signal` is what ends a server in it at once. */
  static async make(signal: "QUIT" | "TERM"): Promise<Place> {
    const directory = await Deno.makeTempDir({ prefix: "jwks-server-test-" });
    const user = await otherUser();
    if (user !== undefined) await Deno.chown(directory, user.uid, user.gid);
    const launch = ["sh", "-c", LAUNCH, GUARDIAN, directory, signal];
    const guardian = await asUser(launch, { cwd: "/", stdin: "piped", stdout: "piped" });
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
    const { success, stdout, stderr } = await (await this.#command(command)).output();
    if (!success) throw new Error(`${command[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout).trimEnd();
  }

  /** Starts a server, whose words go to the log. */
  async spawn(command: readonly string[]): Promise<Deno.ChildProcess> {
    const streams = { stdout: "null", stderr: "null" } as const;
    return (await this.#command(["sh", "-c", LOGGED, this.#log, ...command], streams)).spawn();
  }

  /** A command that works in the directory, by which the guardian knows it. */
  #command(command: readonly string[], streams?: Deno.CommandOptions): Promise<Deno.Command> {
    return asUser(command, { cwd: this.directory, stdin: "null", ...streams });
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
    await this.#guardian.stdout.pipeTo(new WritableStream()); // its end is the guardian's
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
  for (const child of await children(pid)) signal(child, "SIGSTOP");
}

/** Lets them go on. */
export async function thaw(pid: number): Promise<void> {
  for (const child of await children(pid)) signal(child, "SIGCONT");
  Deno.kill(pid, "SIGCONT");
}

function signal(child: number, name: Deno.Signal): void {
  try {
    Deno.kill(child, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // it has just ended
  }
}

async function children(pid: number): Promise<number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return text.split(" ").filter(Boolean).map(Number);
}

async function asUser(
  command: readonly string[],
  options: Deno.CommandOptions,
): Promise<Deno.Command> {
  const user = await otherUser();
  const prefix = user === undefined
    ? []
    : ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  const [program, ...args] = [...prefix, ...command];
  return new Deno.Command(program!, { args, ...options });
}

/** Who runs the servers; `undefined` for whoever runs the tests. */
async function otherUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (Deno.uid() !== 0) return undefined;
  const line = new RegExp(`^${USER}:[^:]*:(\\d+):(\\d+):`, "m");
  const found = line.exec(await Deno.readTextFile("/etc/passwd"));
  if (found === null) throw new Error(`Root needs a user ${USER}, who runs servers in its place`);
  return { uid: Number(found[1]), gid: Number(found[2]) };
}
