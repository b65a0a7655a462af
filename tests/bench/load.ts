/** Load on a server, by a generator that costs little itself: wrk, or else autocannon. */

export const CONNECTIONS = 32;

/** The request that is sent again and again: a GET of `url` unless there is a body. */
export interface Load {
  url: string;
  headers?: Record<string, string>;
  /** The body of a POST. */
  body?: string;
  /** In the place of one body, several that are sent in turns; wrk alone can do this. */
  bodies?: readonly string[];
  connections?: number;
}

/** Loads a server for so many seconds and gives the requests that were answered in each. */
export async function requestsPerSecond(load: Load | string, seconds: number): Promise<number> {
  const whole = typeof load === "string" ? { url: load } : load;
  return await isOnPath("wrk") ? await wrk(whole, seconds) : await autocannon(whole, seconds);
}

/** JSON and forms as loads, each with its type. */
export const jsonLoad = (url: string, body: unknown): Load => ({
  url,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});
export const formLoad = (url: string, form: Record<string, string>): Load => ({
  url,
  headers: { "Content-Type": "application/x-www-form-urlencoded" },
  body: String(new URLSearchParams(form)),
});

async function wrk(
  { url, headers = {}, body, bodies = [body ?? []].flat(), connections = CONNECTIONS }: Load,
  seconds: number,
): Promise<number> {
  const fields = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, ...fields];
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  try {
    if (bodies.length > 0) {
      await Deno.writeTextFile(script, wrkScript(bodies));
      args.push("-s", script);
    }
    const text = await output("wrk", [...args, url]);
    if (/Non-2xx|Socket errors/.test(text)) {
      throw new Error(`Not every request succeeded:\n${text}`);
    }
    return Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(text)![1]);
  } finally {
    await Deno.remove(script);
  }
}

/** In Lua, which writes strings as JSON does where they hold ASCII alone. */
function wrkScript(bodies: readonly string[]): string {
  const requests = bodies.map((body) => `wrk.format("POST", nil, nil, ${JSON.stringify(body)})`);
  return `local requests, last = {}, 0\n` +
    `function init() requests = {${requests.join(",")}} end\n` +
    `function request() last = last % #requests + 1 return requests[last] end\n`;
}

/** autocannon is no dependency: it runs from Deno's cache, in a process of its own. */
async function autocannon(
  { url, headers = {}, body, bodies, connections = CONNECTIONS }: Load,
  seconds: number,
): Promise<number> {
  if (bodies !== undefined) throw new Error("Many bodies need wrk, which is not installed");
  const program = ["run", "--quiet", "--no-config", "--no-lock", "-A", "npm:autocannon@8.0.0"];
  const fields = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}=${value}`]);
  const content = body === undefined ? [] : ["-m", "POST", "-b", body];
  const options = ["--json", "-c", String(connections), "-d", String(seconds)];
  const text = await output(Deno.execPath(), [...program, ...options, ...fields, ...content, url]);
  const result = JSON.parse(text);
  if (result.errors > 0 || result["4xx"] + result["5xx"] > 0) {
    throw new Error("Not every request succeeded");
  }
  return result.requests.average;
}

async function isOnPath(command: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", {
    args: ["-c", `command -v ${command}`],
    stdout: "null",
  }).output();
  return success;
}

async function output(command: string, args: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command(command, { args, stderr: "null" }).output();
  if (!success) throw new Error(`${command} failed`);
  return new TextDecoder().decode(stdout);
}
