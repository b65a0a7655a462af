/** Load on a server, by a generator that costs little itself: wrk, or else autocannon. */

export const CONNECTIONS = 32;

/** Loads `url` for so many seconds and gives the requests that were answered in each. */
export async function requestsPerSecond(url: string, seconds: number): Promise<number> {
  return await isOnPath("wrk") ? await wrk(url, seconds) : await autocannon(url, seconds);
}

async function wrk(url: string, seconds: number): Promise<number> {
  const text = await output("wrk", ["-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, url]);
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`Not every request succeeded:\n${text}`);
  return Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(text)![1]);
}

/** autocannon is no dependency: it runs from Deno's cache, in a process of its own. */
async function autocannon(url: string, seconds: number): Promise<number> {
  const program = ["run", "--quiet", "--no-config", "--no-lock", "-A", "npm:autocannon@8.0.0"];
  const options = ["--json", "-c", String(CONNECTIONS), "-d", String(seconds)];
  const text = await output(Deno.execPath(), [...program, ...options, url]);
  const result = JSON.parse(text);
  if (result.non2xx + result.errors > 0) throw new Error("Not every request succeeded");
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
