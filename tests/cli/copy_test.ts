import assert from "node:assert/strict";
import { SECRET } from "../support.ts";
import { withWorkplace } from "./workplace.ts";

/** What is printed under the table of what was copied. */
function words(stdout: string): string[] {
  return stdout.trimEnd().split("\n").slice(8);
}

Deno.test("copy puts everything into another file, says what is the same, and how to go on", async () => {
  await withWorkplace(async (workplace) => {
    const { path } = workplace;
    const to = `${path}.copy`;
    const keys = await workplace.keys();
    const copied = await workplace.run(["copy", "--to", to]);
    const [head, first, second] = copied.split("\n");
    assert.match(head!, /^TABLE +ROWS +SHA-256$/);
    assert.match(first!, /^keys +3 +[0-9a-f]{64}$/);
    assert.match(second!, /^users +0 +[0-9a-f]{64}$/);
    assert.deepEqual(words(copied), [
      `All of ${path} is in ${to}, and was read again: it is the same`,
      "The secret is the same one: tokens and passwords stay valid",
      `Start the servers with DATABASE=${to}, the same NOT_MY_KEY as before`,
      "Start none on the source again: what that writes, the others would not know",
    ]);
    assert.deepEqual(await workplace.keys({ DATABASE: to }), keys);
    const findings = await workplace.findings({ DATABASE: to });
    assert.equal(findings.database, "ok");
    assert.equal(findings.secret, "ok");
    const again = await workplace.run(["copy", "--to", `${path}.again`], { DATABASE: to });
    assert.deepEqual(again.split("\n").slice(0, 8), copied.split("\n").slice(0, 8));
  });
});

Deno.test("copy needs no secret, and names the file that the source's is in", async () => {
  await withWorkplace(async (workplace) => {
    const { path } = workplace;
    const step = async (to: string, env = {}) =>
      words(await workplace.run(["copy", "--to", to], { NOT_MY_KEY: undefined, ...env })).at(-2);
    assert.equal(
      await step(`${path}.1`),
      `Start the servers with DATABASE=${path}.1, the same NOT_MY_KEY as before`,
    );
    await Deno.writeTextFile(`${path}.key`, SECRET);
    assert.equal(
      await step(`${path}.2`),
      `Start the servers with DATABASE=${path}.2, NOT_MY_KEY_FILE=${path}.key`,
    );
    assert.equal(
      await step(`${path}.3`, { NOT_MY_KEY_FILE: "/run/secret" }),
      `Start the servers with DATABASE=${path}.3, NOT_MY_KEY_FILE=/run/secret`,
    );
  });
});

Deno.test("copy is given one target, which is another database", async () => {
  await withWorkplace(async (workplace) => {
    const { path } = workplace;
    const missing = "The target is named by one of --to and --to-file";
    const same = `The source and the target are both ${path}`;
    await Deno.symlink(path, `${path}.link`);
    await Deno.writeTextFile(`${path}.name`, `${path}\n`);
    await Deno.writeTextFile(`${path}.empty`, "");
    const refusals: [args: string[], message: string | RegExp][] = [
      [[], missing],
      [["--to", "one", "--to-file", "other"], missing],
      [["--to", path], same],
      [["--to-file", `${path}.name`], same],
      [["--to", `${path}.link`], `The source and the target are both ${path}.link`],
      [["--to", ""], /^--to is empty; allowed is the path of a file, or a URL/],
      [
        ["--to", "postgres://u:hidden@host:99999/db"],
        /^--to is a value that is not shown; allowed/,
      ],
      [["--to-file", `${path}.none`], `The file ${path}.none of --to-file does not exist`],
      [["--to-file", `${path}.empty`], `The file ${path}.empty of --to-file is empty`],
    ];
    for (const [args, message] of refusals) {
      const error = await workplace.refused(["copy", ...args]);
      assert.equal(error.code, "usage", args.join(" "));
      if (typeof message === "string") assert.equal(error.message, message);
      else assert.match(error.message, message);
      assert.doesNotMatch(Deno.inspect(error, { depth: 9 }), /hidden/);
    }
  });
});

Deno.test("copy makes nothing of the target when there is no source", async () => {
  await withWorkplace(async (workplace) => {
    const to = `${workplace.path}.copy`;
    const env = { DATABASE: `${workplace.path}.none` };
    const message = `There is no database ${env.DATABASE}`;
    assert.equal((await workplace.refused(["copy", "--to", to], env)).message, message);
    for (const file of [to, env.DATABASE]) {
      await assert.rejects(Deno.stat(file), Deno.errors.NotFound);
    }
    await Deno.writeTextFile(to, "");
    assert.equal((await workplace.refused(["copy", "--to", to], env)).message, message);
    assert.equal((await Deno.stat(to)).size, 0);
  });
});

Deno.test("copy names the one of the databases that cannot be used, and never its password", async () => {
  await withWorkplace(async (workplace) => {
    await Deno.writeTextFile(`${workplace.path}.url`, "postgres://me:hidden@127.0.0.1:9/there");
    const error = await workplace.refused(["copy", "--to-file", `${workplace.path}.url`]);
    assert.match(error.message, /^The database there of me at 127\.0\.0\.1:9 is unreachable: /);
    assert.doesNotMatch(Deno.inspect(error, { depth: 9 }), /hidden/);
    const { stderr } = await workplace.execute([
      "copy",
      "--to",
      "postgres://me:hidden@127.0.0.1:9/x",
    ]);
    assert.match(stderr, /warning: every user of this machine may see the password in an argument/);
    assert.doesNotMatch(stderr, /hidden/);
    workplace.tamper((database) => database.run("CREATE TABLE held (id)"));
    await workplace.withStorage(async (storage) => {
      await storage.beginRun();
    });
    const { stderr: told } = await workplace.execute(["copy", "--to", `${workplace.path}.copy`]);
    assert.match(
      told,
      /warning: what others have added .* is not in the copy \(left: the table held\)/,
    );
    assert.match(told, /warning: a server works on the source, or came to no clean end/);
  });
});
