/** The service, as far as it can be looked at on a machine that systemd has not started. */

import assert from "node:assert/strict";
import { withTempDir } from "../support.ts";
import service from "../../lib/cli/examples/jwks-server.service" with { type: "text" };
import { UNLIMITED } from "../blackbox/harness.ts";
import { startSettled } from "../blackbox/commands.ts";
import { canUse, succeed } from "./tool.ts";

const canLook = await canUse(["systemd-analyze", "--version"], "systemd");
const canTrace = canLook && await canUse(["strace", "-V"], "systemd");

/** The most that the service may be exposed, in tenths, of 10 (unprotected) to 0. */
const MOST_EXPOSED = 10;

async function withUnit(body: (file: string) => Promise<void>): Promise<void> {
  await withTempDir(async (directory) => {
    const file = `${directory}/jwks-server.service`;
    await Deno.writeTextFile(file, service.replace("/usr/local/bin/jwks-server", "/bin/true"));
    await body(file);
  });
}

Deno.test(
  { name: "systemd understands all of the service", ignore: !canLook },
  () =>
    withUnit(async (file) => {
      assert.equal(await succeed(["systemd-analyze", "verify", "--man=no", file]), "");
    }),
);

Deno.test(
  { name: "systemd finds the service hardly exposed", ignore: !canLook },
  () =>
    withUnit((file) =>
      succeed([
        ...["systemd-analyze", "security", "--offline=true", `--threshold=${MOST_EXPOSED}`],
        ...["--no-pager", file],
      ]).then(() => {})
    ),
);

/** The system calls in a set of systemd's, and in those within it. */
async function callsIn(set: string): Promise<string[]> {
  const text = await succeed(["systemd-analyze", "syscall-filter", "--no-pager", set]);
  const names = [...text.matchAll(/^ +(@?\w[\w-]*)$/gm)].map(([, name]) => name!);
  const inner = await Promise.all(names.filter(isSet).map(callsIn));
  return [...names.filter((name) => !isSet(name)), ...inner.flat()];
}

const isSet = (name: string) => name.startsWith("@");

/** The system calls that the service may make, as its lines `SystemCallFilter` say one by one. */
async function allowedCalls(): Promise<Set<string>> {
  const allowed = new Set<string>();
  for (const [, not, sets] of service.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    const calls = (await Promise.all(sets!.split(" ").map(callsIn))).flat();
    for (const call of calls) not ? allowed.delete(call) : allowed.add(call);
  }
  return allowed;
}

/** Of root alone: SQLite gives its files to whom the database belongs to. The service is not root. */
const OF_ROOT = "fchown";

Deno.test({
  name: "the server makes no system call, and no socket, that the service forbids",
  ignore: !canTrace,
}, () =>
  withTempDir(async (directory) => {
    const file = `${directory}/trace`;
    const wrapper = ["strace", "--daemonize", "--follow-forks", "--output", file];
    const env = { ...UNLIMITED, METRICS_ADDRESS: "127.0.0.1:0" };
    {
      await using server = await startSettled({ wrapper, env });
      const user = await server.register();
      await server.token(user);
      assert.equal((await server.jwks()).status, 200);
      assert.equal((await server.stop()).code, 0);
    }
    const trace = await Deno.readTextFile(file);
    const made = new Set([...trace.matchAll(/^\d+ +([a-z]\w*)\(/gm)].map(([, call]) => call!));
    assert.ok(made.has("pwrite64") && made.has("accept4"), [...made].join());
    const allowed = await allowedCalls();
    assert.deepEqual([...made].filter((call) => !allowed.has(call) && call !== OF_ROOT), []);
    const families = /^RestrictAddressFamilies=(.*)$/m.exec(service)![1]!.split(" ");
    for (const [, family] of trace.matchAll(/ socket\((AF_\w+)/g)) {
      assert.ok(families.includes(family!), `${family}`);
    }
  }));
