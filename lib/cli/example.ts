/** `example`: files for the programs around the server, to start from. */

import { Argument, type Command } from "commander";
import { example } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import apache from "./examples/apache.conf" with { type: "text" };
import caddy from "./examples/Caddyfile" with { type: "text" };
import compose from "./examples/compose.yaml" with { type: "text" };
import composeReplicas from "./examples/compose-replicas.yaml" with { type: "text" };
import dockerfile from "./examples/Dockerfile" with { type: "text" };
import githubActions from "./examples/github-actions.yml" with { type: "text" };
import { grafanaDashboard } from "./examples/grafana.ts";
import systemd from "./examples/jwks-server.service" with { type: "text" };
import kubernetes from "./examples/kubernetes.yaml" with { type: "text" };
import kubernetesReplicas from "./examples/kubernetes-replicas.yaml" with { type: "text" };
import litestream from "./examples/litestream.yml" with { type: "text" };
import nginx from "./examples/nginx.conf" with { type: "text" };
import nginxReplicas from "./examples/nginx-replicas.conf" with { type: "text" };
import prometheusRules from "./examples/prometheus-rules.yml" with { type: "text" };
import prometheus from "./examples/prometheus.yml" with { type: "text" };

/** What there is an example of: what it is, and its text. */
const EXAMPLES: Record<string, { what: string; text: string | (() => string) }> = {
  "systemd": { what: "a service that may do nothing else", text: systemd },
  "dockerfile": { what: "an image without a shell", text: dockerfile },
  "compose": { what: "a read-only container", text: compose },
  "compose-replicas": { what: "two of them on PostgreSQL and Valkey", text: composeReplicas },
  "kubernetes": { what: "one pod with its volume", text: kubernetes },
  "kubernetes-replicas": { what: "two pods, updated without a gap", text: kubernetesReplicas },
  "nginx": { what: "a proxy in front, which closes slow connections", text: nginx },
  "nginx-replicas": { what: "the same in front of two servers", text: nginxReplicas },
  "apache": { what: "the same with Apache", text: apache },
  "caddy": { what: "the same with Caddy, which gets its certificate itself", text: caddy },
  "litestream": { what: "a copy of the database that is always up to date", text: litestream },
  "prometheus": { what: "a configuration that reads the metrics", text: prometheus },
  "prometheus-rules": { what: "the alerts for it", text: prometheusRules },
  "grafana": { what: "a dashboard for Grafana", text: grafanaDashboard },
  "github-actions": { what: "an issuer for a service's tests", text: githubActions },
};

export function addExample(program: Command, { output }: CommandContext): void {
  const names = Object.keys(EXAMPLES);
  const list = names.map((name) => `  ${name.padEnd(21)}${EXAMPLES[name]!.what}`).join("\n");
  program.command("example")
    .description("print a file to start from, for a program beside the server")
    .addArgument(new Argument("<name>", "what it is an example of").choices(names))
    .addHelpText("after", `\nExamples that there are:\n${list}`)
    .addHelpText("after", example("jwks-server example systemd > jwks-server.service"))
    .action((name: string) => {
      const { text } = EXAMPLES[name]!;
      output.printFile(typeof text === "string" ? text : text());
    });
}
