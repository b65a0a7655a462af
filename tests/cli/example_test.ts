/** What can be said of the examples without the programs that they are for. */

import assert from "node:assert/strict";
import { grafanaDashboard } from "../../lib/cli/examples/grafana.ts";
import { EXIT } from "../../lib/cli/report.ts";
import { loadConfig } from "../../lib/server/config.ts";
import { SETTINGS } from "../../lib/server/settings.ts";
import { allExamples, assertClosed, imageEnvironment, parseYaml } from "./examples.ts";
import { withWorkplace } from "./workplace.ts";

const EXAMPLES = await allExamples();

/** Those in a language that has comments. */
const COMMENTED = [...EXAMPLES].filter(([name]) => name !== "grafana");

/** How long the server takes to stop at the most, in seconds: what is in flight, then the log. */
const STOPPING = 8 + 1;

/** An example, which the tests name only when it is there. */
function textOf(name: string): string {
  return EXAMPLES.get(name)!;
}

Deno.test("example tells of every file that is asked for", () => {
  const names = "systemd dockerfile compose compose-replicas kubernetes kubernetes-replicas nginx" +
    " nginx-replicas apache caddy litestream prometheus prometheus-rules grafana github-actions";
  assert.deepEqual([...EXAMPLES.keys()], names.split(" "));
});

/** The file that each example is, but for the dashboard, which is made. */
const FILES = {
  "systemd": "jwks-server.service",
  "dockerfile": "Dockerfile",
  "compose": "compose.yaml",
  "compose-replicas": "compose-replicas.yaml",
  "kubernetes": "kubernetes.yaml",
  "kubernetes-replicas": "kubernetes-replicas.yaml",
  "nginx": "nginx.conf",
  "nginx-replicas": "nginx-replicas.conf",
  "apache": "apache.conf",
  "caddy": "Caddyfile",
  "litestream": "litestream.yml",
  "prometheus": "prometheus.yml",
  "prometheus-rules": "prometheus-rules.yml",
  "github-actions": "github-actions.yml",
};

Deno.test("example prints each file byte for byte, tabs included", async () => {
  assert.deepEqual(Object.keys(FILES), COMMENTED.map(([name]) => name));
  for (const [name, file] of Object.entries(FILES)) {
    const path = new URL(`../../lib/cli/examples/${file}`, import.meta.url);
    assert.equal(textOf(name), await Deno.readTextFile(path), name);
  }
  assert.ok(textOf("caddy").includes("\n\t"));
  assert.equal(textOf("grafana"), grafanaDashboard());
  for (const [name, text] of EXAMPLES) assert.match(text, /[^\n]\n$/, name);
});

for (const [name, text] of COMMENTED) {
  Deno.test(`example ${name} begins with what it is, what to change, and how to use it`, () => {
    const header = text.split("\n\n")[0]!.split("\n");
    assert.match(header[0]!, /^# .*jwks-server.*[.]$|^# .*issuer of tokens[.]$/);
    assert.match(header[1]!, /^# Change: .+[.]$/);
    assert.equal(header[2], "# Use:");
    const use = header.slice(3).filter((line) => line.startsWith("#   ")).slice(0, 3);
    assert.equal(use.length, 3);
    assert.ok(use.join("\n").includes(`jwks-server example ${name} `), use.join("\n"));
  });
}

// deno-lint-ignore no-explicit-any -- schemas check them; here they are looked into
type Parsed = any;

/** What there is in example compose. */
function composed(): Parsed {
  return parseYaml(textOf("compose"))[0];
}

/** The pod in example kubernetes. */
function pod(): Parsed {
  const resources = parseYaml(textOf("kubernetes"));
  return resources.find(({ kind }) => kind === "Deployment").spec.template.spec;
}

/** Names in capitals that are not the server's own. */
const OTHERS =
  "GITHUB_ENV GITHUB_PATH RUNNER_TEMP CLIENT_ID CLIENT_SECRET AF_INET AF_INET6 AF_UNIX" +
  " NEW_NOT_MY_KEY POSTGRES_PASSWORD_FILE POSTGRES_INITDB_ARGS PGPASSWORD REDISCLI_AUTH";

Deno.test("every variable that an example names is one of the server's", () => {
  const others = new Set(OTHERS.split(" "));
  for (const [name, text] of COMMENTED) {
    const named = [...text.matchAll(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|\b[A-Z]{4,}(?==)/g)]
      .map(([variable]) => variable).filter((variable) => !others.has(variable));
    for (const variable of named) {
      assert.ok(variable in SETTINGS || /^(UMask|VERSION)$/.test(variable), `${name}: ${variable}`);
    }
  }
});

/** The pairs `NAME=value` in the lines of a pattern. */
function pairs(text: string, lines: RegExp): [string, string][] {
  return [...text.matchAll(lines)].flatMap(([, line]) => line!.split(" ")).map((pair) => {
    const [, variable, value] = /^(\w+)=(.*)$/.exec(pair)!;
    return [variable!, value!];
  });
}

/** The environment that an example gives the server, with what systemd puts for its specifiers. */
const ENVIRONMENTS: Record<string, () => Iterable<[string, string]>> = {
  systemd: () =>
    pairs(textOf("systemd"), /^Environment=(.*)$/gm).map(([variable, value]) => [
      variable,
      value.replace("%S", "/var/lib").replace("%d", "/run/credentials"),
    ]),
  dockerfile: () => [],
  compose: () => Object.entries(composed().services["jwks-server"].environment),
  kubernetes: () =>
    pod().containers[0].env.map((
      { name, value }: { name: string; value: string },
    ) => [name, value]),
};

for (const [name, environment] of Object.entries(ENVIRONMENTS)) {
  Deno.test(`the environment in example ${name} is a valid configuration`, async () => {
    const image = name === "systemd" ? {} : await imageEnvironment();
    const given = new Map([...Object.entries(image), ...environment()]);
    const config = loadConfig((variable) => given.get(variable));
    assert.deepEqual(new Set(config.stated), new Set(given.keys()));
    assert.equal(config.port, 8080);
    if (name === "dockerfile") return;
    assertClosed(config);
    assert.equal(config.issuer, "https://auth.example");
    assert.equal(config.metricsAddress!.port, 9464);
    assert.ok(config.secretFile !== undefined && config.trustedProxies.length > 0);
  });
}

Deno.test("the examples agree on ports, and on how long the server has to stop", () => {
  const alertmanager = 9093;
  for (const [name, text] of COMMENTED) {
    for (const [, port] of text.matchAll(/(?<=\.\d|localhost):(\d{2,5})\b/g)) {
      assert.ok([8080, 9464, alertmanager].includes(Number(port)), `${name}: ${port}`);
    }
  }
  const patience = [
    /TimeoutStopSec=(\d+)s/.exec(textOf("systemd"))![1],
    /^(\d+)s$/.exec(composed().services["jwks-server"].stop_grace_period)![1],
    pod().terminationGracePeriodSeconds,
  ].map(Number);
  assert.deepEqual(new Set(patience).size, 1);
  assert.ok(patience[0]! > STOPPING);
});

Deno.test("the service is not started again after what a restart cannot mend", () => {
  const codes = /^RestartPreventExitStatus=(.*)$/m.exec(textOf("systemd"))![1]!.split(" ");
  assert.deepEqual(codes.map(Number), [EXIT.usage, EXIT.config]);
});

Deno.test("the commands and routes in the examples are those that there are", async () => {
  const lines = COMMENTED.flatMap(([, text]) => text.split("\n"));
  const run = lines.filter((line) => /^# {3}|^ *[^ #]/.test(line) && !/^ *summary:/.test(line));
  const commands = new Set(
    run.flatMap((line) => [...line.matchAll(/\bjwks-server(?: |", ")([a-z]+)/g)])
      .map(([, command]) => command!),
  );
  await withWorkplace(async (workplace) => {
    const known = await workplace.run(["--help"]);
    for (const command of commands) assert.ok(known.includes(`\n  ${command} `), command);
  });
  assert.ok(commands.size >= 5, [...commands].join());
  const { livenessProbe, readinessProbe } = pod().containers[0];
  assert.equal(livenessProbe.httpGet.path, "/healthz");
  assert.equal(readinessProbe.httpGet.path, "/.well-known/jwks.json");
  const asked = new Set(
    [...lines.join("\n").matchAll(/\$ISSUER(\/[\w./-]*\w)/g)].map(([, path]) => path),
  );
  assert.deepEqual(asked, new Set(["/token", "/.well-known/jwks.json", "/register"]));
});

Deno.test("what the parts of example compose and kubernetes refer to is there", () => {
  const { services, secrets, volumes, networks } = composed();
  const service = services["jwks-server"];
  assert.deepEqual(service.secrets, Object.keys(secrets));
  assert.equal(service.environment.NOT_MY_KEY_FILE, `/run/secrets/${service.secrets[0]}`);
  assert.deepEqual(service.networks, Object.keys(networks));
  assert.equal(
    networks[service.networks[0]].ipam.config[0].subnet,
    service.environment.TRUSTED_PROXIES,
  );
  const [volume, mounted] = service.volumes[0].split(":");
  assert.deepEqual(Object.keys(volumes), [volume]);
  assert.ok(service.environment.DATABASE.startsWith(`${mounted}/`));

  const { containers: [container], volumes: podVolumes } = pod();
  const mounts = new Map<string, string>(
    container.volumeMounts.map((mount: Parsed) => [mount.name, mount.mountPath]),
  );
  assert.deepEqual(new Set(mounts.keys()), new Set(podVolumes.map(({ name }: Parsed) => name)));
  const env = Object.fromEntries(container.env.map(({ name, value }: Parsed) => [name, value]));
  assert.ok(env.DATABASE.startsWith(`${mounts.get("data")}/`));
  assert.equal(env.NOT_MY_KEY_FILE, `${mounts.get("secret")}/secret`);
  const [claim, deployment, { spec }, network] = parseYaml(textOf("kubernetes"));
  assert.deepEqual(network.spec.podSelector, deployment.spec.selector);
  assert.equal(podVolumes[0].persistentVolumeClaim.claimName, claim.metadata.name);
  assert.deepEqual(spec.selector, deployment.spec.template.metadata.labels);
  assert.deepEqual(spec.selector, deployment.spec.selector.matchLabels);
  const ports = container.ports.map(({ name, containerPort }: Parsed) => [name, containerPort]);
  assert.deepEqual(spec.ports.map(({ targetPort, port }: Parsed) => [targetPort, port]), ports);
});
