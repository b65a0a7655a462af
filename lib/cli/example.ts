/** `example`: files for the programs around the server, to start from. */

import { Argument, type Command } from "commander";
import { example } from "./arguments.ts";
import type { CommandContext } from "./context.ts";
import { grafanaDashboard } from "./examples/grafana.ts";
import { NGINX_SITE } from "./examples/nginx.ts";
import { PROMETHEUS_RULES } from "./examples/prometheus.ts";

/** What there is an example of: what it is, and its text. */
const EXAMPLES: Record<string, { what: string; text: () => string }> = {
  prometheus: { what: "alert rules for Prometheus", text: () => PROMETHEUS_RULES },
  nginx: { what: "a proxy in front, which closes slow connections", text: () => NGINX_SITE },
  grafana: { what: "a dashboard for Grafana", text: grafanaDashboard },
};

export function addExample(program: Command, { output }: CommandContext): void {
  const names = Object.keys(EXAMPLES);
  const list = names.map((name) => `  ${name.padEnd(12)}${EXAMPLES[name]!.what}`).join("\n");
  program.command("example")
    .description("print a file to start from, for a program beside the server")
    .addArgument(new Argument("<name>", "what it is an example of").choices(names))
    .addHelpText("after", `\nExamples that there are:\n${list}`)
    .addHelpText("after", example("jwks-server example prometheus > jwks-server.rules.yml"))
    .action((name: string) => {
      for (const line of EXAMPLES[name]!.text().trimEnd().split("\n")) output.print(line);
    });
}
