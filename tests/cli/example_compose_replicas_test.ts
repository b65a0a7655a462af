/** What can be said of example compose-replicas without the programs that it is for. */

import assert from "node:assert/strict";
import { isInNetwork, parseIpAddress, parseIpNetwork } from "../../lib/base/ip_address.ts";
import {
  assertClosed,
  configOf,
  exampleOf,
  imageEnvironment,
  parseYaml,
  saying,
  usage,
} from "./examples.ts";

// deno-lint-ignore no-explicit-any -- schemas check them; here they are looked into
type Parsed = any;

const COMPOSE = await exampleOf("compose-replicas");
const NGINX = await exampleOf("nginx-replicas");

const { services, secrets, volumes, networks, configs }: Parsed = parseYaml(COMPOSE)[0];
const { nginx, postgres, valkey } = services;
const servers: Parsed[] = [services["jwks-server-1"], services["jwks-server-2"]];

/** The URL that a command of the comment writes into a file, with a password in it. */
function written(file: string): string {
  const [line] = usage(COMPOSE).filter((text) => text.includes(`> ${file}`));
  return new RegExp(`echo "([^"]*)" > ${file}`).exec(line!)![1]!.replace(
    /\$\w+/,
    "0123456789abcdef",
  );
}

Deno.test("the environment in example compose-replicas is a valid configuration in the image", async () => {
  const { environment } = servers[0];
  const whole = { ...await imageEnvironment(), ...environment };
  const config = await configOf(whole, {
    DATABASE_FILE: written("database_url"),
    REDIS_URL_FILE: written("redis_url"),
  });
  assert.deepEqual(new Set(config.stated), saying(whole));
  assertClosed(config);
  assert.equal(config.issuer, "https://auth.example");
  assert.equal(config.metricsAddress!.port, 9464);
  assert.deepEqual(config.trustedProxies, [nginx.networks.inside.ipv4_address]);
  assert.ok(config.database.engine === "postgres" && config.database.server.isSocket);
  assert.deepEqual(servers[0].volumes, [`socket:${config.database.server.host}:ro`]);
  assert.ok(postgres.volumes.includes(`socket:${config.database.server.host}`));
  const { user, database } = config.database.server;
  assert.match(written("role.sql"), new RegExp(`^CREATE ROLE ${user} LOGIN PASSWORD '\\w+';`));
  assert.match(written("role.sql"), new RegExp(` CREATE DATABASE ${database} OWNER ${user}$`));
});

Deno.test("the servers of example compose-replicas differ in their address alone", () => {
  const [one, two] = servers.map((server) => structuredClone(server));
  assert.notEqual(one.networks.inside.ipv4_address, two.networks.inside.ipv4_address);
  two.networks.inside.ipv4_address = one.networks.inside.ipv4_address;
  assert.deepEqual(one, two);
});

Deno.test("nginx asks the servers where they are, from where they trust", () => {
  const asked = [...NGINX.matchAll(/^ {4}server ([\d.]+):(\d+)\b(?!.*\bbackup;)/gm)];
  const places = asked.map(([, address, port]) => [address, port]);
  const { PORT } = servers[0].environment;
  assert.deepEqual(places, servers.map((own) => [own.networks.inside.ipv4_address, PORT]));
  const backups = [...NGINX.matchAll(/^ {4}server (\S+) max_fails=0 backup;$/gm)];
  assert.deepEqual(backups.map(([, place]) => place), places.map((place) => place.join(":")));
  const [{ subnet }] = networks.inside.ipam.config;
  const addresses = [nginx, ...servers].map((own) => own.networks.inside.ipv4_address);
  for (const address of addresses) {
    assert.ok(isInNetwork(parseIpAddress(address)!, parseIpNetwork(subnet)!), address);
  }
  const listening = /listen (\d+) ssl;/.exec(NGINX)![1]!;
  assert.deepEqual(nginx.ports, [`${listening}:${listening}`]);
  assert.equal(nginx.sysctls["net.ipv4.ip_unprivileged_port_start"], Number(listening));
  const [directory] = nginx.volumes[0].split(":").slice(1);
  for (const [, file] of NGINX.matchAll(/ssl_certificate(?:_key)? (\S+);/g)) {
    assert.ok(file!.startsWith(`${directory}/`), file!);
    assert.ok(usage(COMPOSE).join("\n").includes(file!.replace(directory!, "tls")), file!);
  }
});

for (const [name, own] of Object.entries<Parsed>(services)) {
  Deno.test(`${name} in example compose-replicas is contained, and watched`, () => {
    assert.equal(own.read_only, true);
    assert.deepEqual([own.cap_drop, own.cap_add, own.privileged], [["ALL"], undefined, undefined]);
    assert.deepEqual(own.security_opt, ["no-new-privileges:true"]);
    assert.match(own.user, /^[1-9]\d*:[1-9]\d*$/);
    assert.ok(own.pids_limit > 0 && own.cpus > 0 && own.mem_limit);
    assert.ok(own.healthcheck.test.length > 1);
    assert.ok(parseInt(own.stop_grace_period) >= 15);
    assert.equal(own.restart, "unless-stopped");
    for (const mount of own.tmpfs) assert.match(mount, /:.*nosuid,nodev,mode=1777,size=\d+m$/);
    const { build, image } = own;
    assert.ok(build !== undefined || /^[\w/]+:\d+(\.\d+)?$/.test(image), image);
  });
}

Deno.test("who is waited for in example compose-replicas is waited for until it is well", () => {
  const awaited = Object.values<Parsed>(services).flatMap(({ depends_on = {} }) =>
    Object.entries<Parsed>(depends_on)
  );
  for (const [name, { condition }] of awaited) {
    assert.ok(name in services, name);
    assert.equal(condition, "service_healthy");
  }
  assert.deepEqual(
    new Set(awaited.map(([name]) => name)),
    new Set(Object.keys(services).slice(0, 2).concat("postgres", "valkey")),
  );
});

Deno.test("nginx alone reaches beyond example compose-replicas, and nobody PostgreSQL by a network", () => {
  for (const [name, own] of Object.entries<Parsed>(networks)) {
    assert.equal(own?.internal ?? false, name !== "outside", name);
  }
  const joined = (own: Parsed) => Object.keys(own.networks ?? {}).sort();
  assert.deepEqual(joined(nginx), ["inside", "outside"]);
  for (const server of servers) assert.deepEqual(joined(server), ["inside", "limits"]);
  assert.deepEqual(valkey.networks, ["limits"]);
  assert.equal(new URL(written("redis_url")).hostname, "valkey");
  assert.equal(postgres.network_mode, "none");
  assert.deepEqual(Object.values<Parsed>(services).filter(({ ports }) => ports), [nginx]);
});

Deno.test("each secret of example compose-replicas is made, and given to whom it is mounted for", () => {
  const made = usage(COMPOSE).join("\n");
  const users = new Map<string, Set<string>>();
  for (const { secrets: mounted = [], user } of Object.values<Parsed>(services)) {
    for (const secret of mounted) {
      const name = typeof secret === "string" ? secret : secret.source;
      users.set(name, (users.get(name) ?? new Set()).add(user.split(":")[0]));
    }
  }
  assert.deepEqual(new Set(users.keys()), new Set(Object.keys(secrets)));
  for (const [name, owners] of users) {
    assert.equal(owners.size, 1, name);
    const file = secrets[name].file.replace("./secrets/", "");
    assert.ok(made.includes(` > ${file}`), file);
    assert.match(made, new RegExp(`chown ${[...owners][0]} [\\w. ]*\\b${file}\\b`));
  }
  for (const { environment = {} } of Object.values<Parsed>(services)) {
    for (const [variable, value] of Object.entries<string>(environment)) {
      const path = /^\/run\/secrets\/(\w+)$/.exec(value);
      assert.equal(path !== null, variable.endsWith("_FILE"), variable);
      if (path) assert.ok(path[1]! in secrets, value);
      assert.doesNotMatch(variable, /(PASSWORD|KEY|URL)$/);
    }
  }
});

Deno.test("what the parts of example compose-replicas refer to is there", () => {
  const mounted = Object.values<Parsed>(services).flatMap(({ volumes = [] }) => volumes)
    .map((volume: string) => volume.split(":")[0]!).filter((name) => !name.startsWith("."));
  assert.deepEqual(new Set(mounted), new Set(Object.keys(volumes)));
  assert.deepEqual(nginx.configs.map(({ source }: Parsed) => source), Object.keys(configs));
  assert.equal(
    usage(COMPOSE).filter((line) => line.endsWith(`> ${configs.nginx.file.slice(2)}`)).length,
    1,
  );
});
