/** The proxies that there is an example of, each run with it in a directory of its own. */

import assert from "node:assert/strict";
import apache from "../../lib/cli/examples/apache.conf" with { type: "text" };
import caddy from "../../lib/cli/examples/Caddyfile" with { type: "text" };
import nginx from "../../lib/cli/examples/nginx.conf" with { type: "text" };
import nginxReplicas from "../../lib/cli/examples/nginx-replicas.conf" with { type: "text" };
import { Directory, eventually } from "./harness.ts";

interface Place {
  /** The directory, in which the configuration is the file `configuration`. */
  path: string;
  /** The port of the proxy. */
  port: number;
}

export interface Kind {
  name: string;
  example: string;
  /** The command that tells whether it is there. */
  version: readonly string[];
  /** Where the example says that the certificate and its key are, if it says so. */
  certificate?: readonly [cert: string, key: string];
  /** Where the example says that the servers are. */
  servers: readonly string[];
  /** What makes the example listen in the clear on a port of its own. */
  inTheClear: readonly [RegExp, (port: number) => string][];
  /** The times in it that make it impatient, when they are a second. */
  timeouts: RegExp;
  /** Whether it also closes a body that goes on arriving, too slowly. */
  endsTrickledBodies: boolean;
  /** Whether its own errors have the form of the server's. */
  tellsErrors: boolean;
  /** The example with what stands around it in a whole configuration. */
  whole: (example: string, place: Place) => string;
  /** The commands that look at a configuration, and that run it until they are told to stop. */
  check: (place: Place) => string[];
  run: (place: Place) => string[];
}

const NGINX: Kind = {
  name: "nginx",
  example: nginx,
  version: ["nginx", "-v"],
  certificate: ["/etc/ssl/auth.example.pem", "/etc/ssl/private/auth.example.key"],
  servers: ["127.0.0.1:8080"],
  inTheClear: [
    [/listen 443 ssl;/, (port) => `listen 127.0.0.1:${port};`],
    [/^ *ssl_\w+ .*\n/gm, () => ""],
  ],
  timeouts: /(?<=timeout )(5|10|60)(?=s;)/g,
  endsTrickledBodies: false,
  tellsErrors: true,
  whole(example) {
    const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${name};`).join(" ");
    return `daemon off; pid nginx.pid; error_log error.log; worker_processes 1;\n` +
      `events {}\nhttp { access_log off; ${places}\n${example}\n}\n`;
  },
  check: (place) => [...NGINX.run(place), "-t"],
  run: ({ path }) => ["nginx", "-p", path, "-c", `${path}/configuration`, "-e", "error.log"],
};

export const NGINX_REPLICAS: Kind = {
  ...NGINX,
  name: "nginx in front of several servers",
  example: nginxReplicas,
  certificate: ["/etc/nginx/tls/auth.example.pem", "/etc/nginx/tls/auth.example.key"],
  servers: ["172.30.80.11:8080", "172.30.80.12:8080"],
};

/** Debian's; the example names those that are not always there. */
const APACHE_MODULES = ["mpm_event", "authz_core", "socache_shmcb"];

const APACHE: Kind = {
  name: "Apache",
  example: apache,
  version: ["apache2", "-v"],
  certificate: NGINX.certificate!,
  servers: NGINX.servers,
  inTheClear: [
    [/<VirtualHost \*:443>/, (port) => `<VirtualHost 127.0.0.1:${port}>`],
    [/^ *SSL\w+ .*\n/gm, () => ""],
    [/handshake=10 /, () => ""],
  ],
  timeouts: /(?<=header=|body=|Timeout )(10|60)\b/g,
  endsTrickledBodies: true,
  tellsErrors: false,
  whole(example, { path, port }) {
    const named = /a2enmod ([\w ]+);/.exec(example)![1]!.split(" ");
    const modules = [
      ...APACHE_MODULES,
      ...named.flatMap((name) => name === "proxy_http" ? ["proxy", name] : [name]),
    ];
    const loaded = modules.map((name) =>
      `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`
    );
    return [
      ...loaded,
      // Linux would keep connections without data from it for a minute.
      "AcceptFilter http none",
      `ServerName localhost\nListen 127.0.0.1:${port}\nUser nobody\nGroup nogroup\nStartServers 1`,
      `ServerRoot ${path}\nDefaultRuntimeDir ${path}\nPidFile pid\nErrorLog error.log`,
      example,
    ].join("\n");
  },
  check: ({ path }) => ["apache2", "-t", "-f", `${path}/configuration`],
  run: ({ path }) => ["apache2", "-DFOREGROUND", "-f", `${path}/configuration`],
};

const CADDY: Kind = {
  name: "Caddy",
  example: caddy,
  version: ["caddy", "version"],
  servers: NGINX.servers,
  inTheClear: [[/^auth\.example \{/m, (port) => `http://:${port} {\n\tbind 127.0.0.1`]],
  timeouts: /(?<=read_header |read_body |idle )(10|60)(?=s)/g,
  endsTrickledBodies: true,
  tellsErrors: false,
  whole: (example, { path }) =>
    example.replace("\n{\n", `\n{\n\tadmin off\n\tstorage file_system ${path}\n`),
  check: ({ path }) => caddyCommand("validate", path),
  run: ({ path }) => caddyCommand("run", path),
};

function caddyCommand(command: string, path: string): string[] {
  const configuration = ["--config", `${path}/configuration`, "--adapter", "caddyfile"];
  return ["env", `HOME=${path}`, "caddy", command, ...configuration];
}

export const KINDS: readonly Kind[] = [NGINX, NGINX_REPLICAS, APACHE, CADDY];

/** Writes a configuration to where the commands of its kind look for it. */
export async function writeConfiguration(
  { whole }: Kind,
  example: string,
  place: Place,
): Promise<void> {
  await Deno.writeTextFile(`${place.path}/configuration`, whole(example, place));
}

/** A proxy in front of a server. Disposing of it ends its process. */
export class Proxy implements AsyncDisposable {
  readonly url: string;
  readonly #directory: Directory;
  readonly #process: Deno.ChildProcess;

  private constructor(port: number, directory: Directory, process: Deno.ChildProcess) {
    this.url = `http://127.0.0.1:${port}`;
    this.#directory = directory;
    this.#process = process;
  }

  /**
   * The example on these ports, in the clear, and more impatient: nothing else of it is changed. Of
   * fewer servers than it names, the last stands for the others as well.
   */
  static async start(kind: Kind, ports: { servers: number[]; proxy: number }): Promise<Proxy> {
    const places = kind.servers.map((address, place): Kind["inTheClear"][number] => {
      const port = ports.servers[place] ?? ports.servers.at(-1);
      return [new RegExp(RegExp.escape(address), "g"), () => `127.0.0.1:${port}`];
    });
    const changes: Kind["inTheClear"] = [
      ...kind.inTheClear,
      ...places,
      [kind.timeouts, () => "1"],
    ];
    let example = kind.example;
    for (const [pattern, replacement] of changes) {
      assert.match(example, pattern);
      example = example.replace(pattern, replacement(ports.proxy));
    }
    const directory = new Directory();
    const place = { path: directory.path, port: ports.proxy };
    await writeConfiguration(kind, example, place);
    const [command, ...args] = kind.run(place);
    const process = new Deno.Command(command!, { args, stdout: "null", stderr: "null" }).spawn();
    const proxy = new Proxy(ports.proxy, directory, process);
    try {
      await proxy.#listens(kind);
      return proxy;
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Told to end before it listens, nginx does not notice. */
  async #listens({ name }: Kind): Promise<void> {
    const { hostname, port } = new URL(this.url);
    await eventually(`${name} listens`, async () => {
      const found = await Deno.connect({ hostname, port: Number(port) }).catch(() => undefined);
      found?.close();
      return found;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
    await this.#directory[Symbol.asyncDispose]();
  }
}
