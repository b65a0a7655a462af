/** What can be said of example kubernetes-replicas without a cluster. */

import assert from "node:assert/strict";
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

const KUBERNETES = await exampleOf("kubernetes-replicas");

const [deployment, budget, service, network]: Parsed[] = parseYaml(KUBERNETES);
const pod: Parsed = deployment.spec.template.spec;
const container: Parsed = pod.containers[0];
const env: Record<string, string> = Object.fromEntries(
  container.env.map(({ name, value }: Parsed) => [name, value]),
);

/** How long the server may take to stop, in seconds, by the examples for one. */
const STOPPING = 15;

Deno.test("the environment in example kubernetes-replicas is a valid configuration in the image", async () => {
  const [, url, limits] = /database-url holds (postgres:\S+),[^]* redis-url (rediss:\S+),/
    .exec(KUBERNETES)!;
  const whole = { ...await imageEnvironment(), ...env };
  const config = await configOf(whole, { DATABASE_FILE: url!, REDIS_URL_FILE: limits! });
  assert.deepEqual(new Set(config.stated), saying(whole));
  assertClosed(config);
  assert.equal(config.issuer, "https://auth.example");
  assert.equal(config.metricsAddress!.port, 9464);
  assert.ok(config.database.engine === "postgres" && !config.database.server.isSocket);
});

Deno.test("the pods of example kubernetes-replicas stand in for each other", () => {
  const { replicas, strategy, selector, template } = deployment.spec;
  const labels = template.metadata.labels;
  assert.equal(replicas, 2);
  assert.deepEqual(strategy.rollingUpdate, { maxSurge: 1, maxUnavailable: 0 });
  for (
    const own of [
      selector.matchLabels,
      budget.spec.selector.matchLabels,
      service.spec.selector,
      network.spec.podSelector.matchLabels,
    ]
  ) {
    assert.deepEqual(own, labels);
  }
  assert.equal(budget.spec.maxUnavailable, 1);
  const spread = pod.topologySpreadConstraints;
  assert.deepEqual(spread.map(({ topologyKey }: Parsed) => topologyKey), [
    "kubernetes.io/hostname",
    "topology.kubernetes.io/zone",
  ]);
  for (const { labelSelector } of spread) assert.deepEqual(labelSelector.matchLabels, labels);
  const ports = container.ports.map(({ name, containerPort }: Parsed) => [name, containerPort]);
  assert.deepEqual(
    service.spec.ports.map(({ targetPort, port }: Parsed) => [targetPort, port]),
    ports,
  );
});

Deno.test("a pod of example kubernetes-replicas is asked for what it serves without a database", () => {
  assert.equal(container.livenessProbe.httpGet.path, "/healthz");
  assert.equal(container.readinessProbe.httpGet.path, "/.well-known/jwks.json");
});

Deno.test("a pod of example kubernetes-replicas has the time to stop that a container has", () => {
  const { terminationGracePeriodSeconds: all } = pod;
  const asleep = container.lifecycle.preStop.sleep.seconds;
  assert.ok(asleep >= 5);
  assert.equal(all - asleep, STOPPING);
});

Deno.test("a pod of example kubernetes-replicas is contained, and has its secrets as files", () => {
  assert.equal(pod.automountServiceAccountToken, false);
  assert.equal(pod.securityContext.runAsNonRoot, true);
  const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } =
    container.securityContext;
  assert.deepEqual([allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities], [
    false,
    true,
    { drop: ["ALL"] },
  ]);
  const mounts = new Map<string, string>(
    container.volumeMounts.map(({ name, mountPath }: Parsed) => [name, mountPath]),
  );
  assert.deepEqual(new Set(mounts.keys()), new Set(pod.volumes.map(({ name }: Parsed) => name)));
  const created = [...usage(KUBERNETES).join("\n").matchAll(/--from-file=([\w.-]+)/g)];
  const files = Object.entries(env).filter(([name]) => name.endsWith("_FILE"));
  const places = new Set(
    created.map(([, file]) => `${mounts.get("secret")}/${file}`),
  );
  const [, replacing] = /rekey --secret-file (\S+)/.exec(KUBERNETES)!;
  assert.ok(places.delete(replacing!));
  assert.deepEqual(new Set(files.map(([, path]) => path)), places);
  assert.doesNotMatch([...saying(env)].join(" "), /(PASSWORD|KEY|URL|DATABASE)( |$)/);
});
