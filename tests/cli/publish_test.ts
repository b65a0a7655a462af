import assert from "node:assert/strict";
import { makeFifo } from "../base/fifo.ts";
import { withWorkplace, type Workplace } from "./workplace.ts";

const ISSUER = "https://id.example";
const DAY = 86_400_000;

interface Published {
  until: string;
  complete_until: string;
  files: string[];
  written: string[];
}

/** Publishes into `www`, and tells what a script is told. */
async function publish(workplace: Workplace, env = {}): Promise<Published> {
  const args = ["keys", "publish", `${workplace.directory}/www`, "--json"];
  return JSON.parse(await workplace.run(args, { ISSUER, ...env }));
}

/** Every file below a directory. */
async function filesIn(directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    if (isDirectory) found.push(...await filesIn(`${directory}/${name}`));
    else found.push(`${directory}/${name}`);
  }
  return found.sort();
}

Deno.test("keys publish writes the set and the metadata, as they are served, and nothing else", async () => {
  await withWorkplace(async (workplace) => {
    const { files, written } = await publish(workplace);
    assert.deepEqual(written, files);
    assert.deepEqual(await filesIn(`${workplace.directory}/www`), [...files].sort());
    const [set, server, openid] = files as [string, string, string];
    assert.equal(await Deno.readTextFile(set), workplace.published);
    const metadata = JSON.parse(await Deno.readTextFile(server));
    assert.equal(metadata.issuer, ISSUER);
    assert.equal(metadata.jwks_uri, `${ISSUER}/.well-known/jwks.json`);
    assert.deepEqual(metadata.id_token_signing_alg_values_supported, ["ES256"]); // the database's
    assert.equal(await Deno.readTextFile(openid), await Deno.readTextFile(server));
  }, { alg: "ES256" });
});

Deno.test("keys publish says until when the copy is enough, and a script the same", async () => {
  await withWorkplace(async (workplace) => {
    const [, next] = await workplace.keys();
    const { until, complete_until: completeUntil } = await publish(workplace);
    const keys = JSON.parse(await workplace.run(["keys", "list", "--json"]));
    const waiting = keys.find(({ kid }: { kid: string }) => kid === next!.kid);
    assert.equal(completeUntil, waiting.sign_until); // another key signs only after it
    assert.equal(Date.parse(completeUntil) - Date.parse(until), 2 * DAY);
    const short = (time: string) => `${time.slice(0, 19).replace("T", " ")}Z`;
    const args = ["keys", "publish", `${workplace.directory}/www`];
    assert.deepEqual(
      (await workplace.run(args, { ISSUER })).split("\n").map((line) => line.trim()),
      [
        `unchanged  ${workplace.directory}/www/.well-known/jwks.json`,
        `unchanged  ${workplace.directory}/www/.well-known/oauth-authorization-server`,
        `unchanged  ${workplace.directory}/www/.well-known/openid-configuration`,
        `The copy has every key that may sign before ${short(completeUntil)}`,
        `Publish again by ${short(until)}: then verifiers know each key for 2d before it signs`,
        "Publish again at once after keys rotate, revoke or import: they change what is planned",
      ],
    );
  }, { alg: "ES256", prepublish: 2 * DAY / 1000 });
});

Deno.test("keys publish writes only what has changed", async () => {
  await withWorkplace(async (workplace) => {
    const { files: [set] } = await publish(workplace);
    assert.deepEqual((await publish(workplace)).written, []);
    await workplace.run(["keys", "rotate", "--force"]);
    assert.deepEqual((await publish(workplace)).written, [set]);
    const { signer, kid } = (await workplace.keys()).find(({ signer }) => signer)!;
    const { keys } = JSON.parse(await Deno.readTextFile(set!));
    assert.ok(signer && keys.some((key: { kid: string }) => key.kid === kid));
  }, { alg: "ES256" });
});

Deno.test("keys publish goes by ISSUER's path and JWKS_URI, and warns when ISSUER is not set", async () => {
  await withWorkplace(async (workplace) => {
    const JWKS_URI = "https://cdn.example/keys.json";
    const { files } = await publish(workplace, { ISSUER: `${ISSUER}/a`, JWKS_URI });
    const www = `${workplace.directory}/www`;
    assert.deepEqual(files.map((file) => file.slice(www.length)), [
      "/a/.well-known/jwks.json",
      "/keys.json",
      "/.well-known/oauth-authorization-server/a",
      "/a/.well-known/openid-configuration",
    ]);
    assert.equal(JSON.parse(await Deno.readTextFile(files[2]!)).jwks_uri, JWKS_URI);
    const args = ["keys", "publish", `${workplace.directory}/other`];
    const { stderr, error } = await workplace.execute(args, { ISSUER: undefined, PORT: "9000" });
    assert.equal(error, undefined);
    assert.match(stderr, /^jwks-server: warning: ISSUER is not set.*http:\/\/localhost:9000/);
    assert.equal(await workplace.exitCode(args, { ISSUER: undefined, PORT: "0" }), 78);
    const fromRequest = { ISSUER: "from-request", TEST_TOKENS: "on" };
    assert.equal(await workplace.exitCode(args, fromRequest), 78);
  }, { alg: "ES256" });
});

Deno.test("keys publish refuses what stands in its way in words, with nothing written", async () => {
  await withWorkplace(async (workplace) => {
    const at = (name: string) => `${workplace.directory}/${name}`;
    await Deno.writeTextFile(at("file"), "");
    for (const name of ["linked", "fifo", "directory", "blocked"]) {
      await Deno.mkdir(at(`${name}/.well-known`), { recursive: true });
    }
    await Deno.symlink(at("file"), at("linked/.well-known/openid-configuration"));
    await makeFifo(at("fifo/.well-known/openid-configuration"));
    await Deno.mkdir(at("directory/.well-known/openid-configuration"));
    await Deno.remove(at("blocked/.well-known"));
    await Deno.writeTextFile(at("blocked/.well-known"), "");
    const refused = [
      ["file", /file cannot be written: it is no directory/],
      ["file/below", /cannot be written/],
      ["/dev/null", /it is no directory/],
      ["linked", /openid-configuration cannot be written: it is a link/],
      ["fifo", /it is a FIFO/],
      ["directory", /it is a directory/],
      ["blocked", /\.well-known cannot be written: it is no directory/],
    ] as const;
    for (const [name, reason] of refused) {
      const directory = name.startsWith("/") ? name : at(name);
      const { message } = await workplace.refused(["keys", "publish", directory], { ISSUER });
      assert.match(message, reason);
    }
    assert.equal(await workplace.exitCode(["keys", "publish", ""], { ISSUER }), 2);
    for (const name of ["linked", "fifo"]) {
      assert.equal((await filesIn(at(name))).length, 1, "nothing is written");
    }
    assert.equal(await Deno.readTextFile(at("file")), "");
  }, { alg: "ES256" });
});

Deno.test("keys publish fails, although it has written, when a key that the copy lacks may be the next to sign", async () => {
  await withWorkplace(async (workplace) => {
    const [signer, next] = await workplace.keys();
    workplace.tamper((database) =>
      database.run("DELETE FROM keys WHERE kid = ?", Number(next!.kid))
    );
    workplace.tamper((database) => {
      const policy = '{"SIGNING_ALG":"ES256","KEY_ROTATION":31536000,"KEY_PREPUBLISH":31536000,' +
        '"KEY_RETENTION":0,"TOKEN_TTL":60,"EXPIRED_TOKENS":true}';
      database.run("UPDATE meta SET value = CAST(? AS BLOB) WHERE name = 'policy'", policy);
    });
    const args = ["keys", "publish", `${workplace.directory}/www`];
    const { error, stderr } = await workplace.execute(args, { ISSUER });
    assert.match(stderr, /error: the copy is written, but a key that it lacks may sign from 20/);
    assert.match(stderr, /hint: see that a server runs/);
    assert.ok(error instanceof Error);
    const text = await Deno.readTextFile(`${workplace.directory}/www/.well-known/jwks.json`);
    assert.deepEqual(JSON.parse(text).keys.map(({ kid }: { kid: string }) => kid), [signer!.kid]);
  }, { alg: "ES256" });
});

Deno.test("keys publish writes nothing when there is no key", async () => {
  await withWorkplace(async (workplace) => {
    workplace.tamper((database) => database.run("DELETE FROM keys"));
    const args = ["keys", "publish", `${workplace.directory}/www`];
    const { message, hints } = await workplace.refused(args, { ISSUER });
    assert.match(message, /no key to publish/);
    assert.match(hints.join(), /init/);
    assert.equal(await Deno.stat(`${workplace.directory}/www`).catch(() => "none"), "none");
  }, { alg: "ES256" });
});
