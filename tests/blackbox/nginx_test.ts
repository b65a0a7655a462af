import assert from "node:assert/strict";
import { decodeJwt } from "jose";
import { NGINX_SITE } from "../../lib/cli/examples/nginx.ts";
import { Client, connect, receive, send } from "./client.ts";
import { Directory, eventually, freePort, Server } from "./harness.ts";
import { works } from "./skip.ts";

const isPossible = await works(["nginx", "-v"], "the proxy example") &&
  await works(["openssl", "version"], "the proxy example");

/** The example on free ports, in the clear, and more impatient: nothing else of it is changed. */
const CHANGES: [RegExp, (ports: Ports) => string][] = [
  [/server 127\.0\.0\.1:8080;/, ({ server }) => `server 127.0.0.1:${server};`],
  [/listen 443 ssl;/, ({ proxy }) => `listen 127.0.0.1:${proxy};`],
  [/^ *ssl_\w+ .*\n/gm, () => ""],
  [/timeout (10|60)s;/g, () => "timeout 1s;"],
];

interface Ports {
  server: number;
  proxy: number;
}

/** nginx with what stands around a site, in a directory of its own. */
class Nginx implements AsyncDisposable {
  readonly #directory: Directory;
  readonly #process: Deno.ChildProcess;

  private constructor(directory: Directory, process: Deno.ChildProcess) {
    this.#directory = directory;
    this.#process = process;
  }

  static async start(site: string): Promise<Nginx> {
    const directory = new Directory();
    const file = await writeConfiguration(directory.path, site);
    const args = ["-p", directory.path, "-c", file, "-e", "error.log"];
    const process = new Deno.Command("nginx", { args, stdout: "null", stderr: "null" }).spawn();
    return new Nginx(directory, process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
    await this.#directory[Symbol.asyncDispose]();
  }
}

async function writeConfiguration(path: string, site: string): Promise<string> {
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${name};`).join(" ");
  const file = `${path}/nginx.conf`;
  await Deno.writeTextFile(
    file,
    `daemon off; pid nginx.pid; error_log error.log; worker_processes 1;\n` +
      `events {}\nhttp { access_log off; ${places}\n${site}\n}\n`,
  );
  return file;
}

/** The status of what an openssl or nginx command ends with, and what it says. */
async function run(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.ok(success, said);
  return said;
}

Deno.test({
  name: "nginx finds nothing to say against the example, but for where its certificate is",
  ignore: !isPossible,
}, async () => {
  await using directory = new Directory();
  const { path } = directory;
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-subj", "/CN=auth.example", "-keyout", `${path}/key`, "-out", `${path}/cert`],
  ]);
  const site = NGINX_SITE.replace("/etc/ssl/auth.example.pem", `${path}/cert`)
    .replace("/etc/ssl/private/auth.example.key", `${path}/key`);
  const file = await writeConfiguration(path, site);
  const said = await run("nginx", ["-t", "-p", path, "-c", file, "-e", "error.log"]);
  assert.doesNotMatch(said, /warn/);
});

Deno.test({
  name: "behind nginx clients are told apart, and it closes what slow ones hold open",
  ignore: !isPossible,
}, async () => {
  const env = { TRUSTED_PROXIES: "127.0.0.1", ISSUER: "https://auth.example" };
  await using server = await Server.start({ env });
  const ports = { server: server.port, proxy: freePort() };
  let site = NGINX_SITE;
  for (const [pattern, replacement] of CHANGES) {
    assert.match(site, pattern);
    site = site.replace(pattern, replacement(ports));
  }
  await using _nginx = await Nginx.start(site);
  const url = `http://127.0.0.1:${ports.proxy}`;
  using client = new Client(url, "127.0.5.1");
  await eventually(
    "nginx answers",
    () => client.jwks().then(({ status }) => status === 200 || undefined, () => undefined),
  );

  const token = await client.token(await client.register());
  assert.equal(decodeJwt(token).iss, "https://auth.example");
  const [row] = server.query<{ request_ip: string }>("SELECT request_ip FROM auth_logs");
  assert.equal(row!.request_ip, "127.0.5.1");

  const head = "POST /auth HTTP/1.1\r\nHost: auth.example\r\n";
  const slow = [
    "",
    head,
    `${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
  ];
  await Promise.all(slow.map(async (start) => {
    using connection = await connect(url);
    await send(connection, start);
    const since = performance.now();
    await receive(connection);
    assert.ok(performance.now() - since < 5000, JSON.stringify(start));
  }));
});
