import assert from "node:assert/strict";
import { compactVerify, createRemoteJWKSet } from "jose";
import { ALGORITHM_NAMES } from "../../../lib/keys/algorithms.ts";
import { publishedKids, SECRET, startSettled } from "../../blackbox/commands.ts";
import { proveLanguage } from "../driver/proof.ts";

const REQUIREMENTS = await Deno.readTextFile(new URL("requirements.txt", import.meta.url));
const PYTHON = "./venv/bin/python";

/** The version that pip installs. */
function version(name: string): string {
  return REQUIREMENTS.match(new RegExp(`^${name}(?:\\[.*\\])?==(\\S+)`, "mi"))![1]!;
}

const directory = await proveLanguage({
  name: "Python",
  directory: new URL("./", import.meta.url),
  tools: [["python3", "-c", "import ensurepip, venv"]],
  pins: ["requirements.txt"],
  install: [
    ["python3", "-m", "venv", "venv"],
    [PYTHON, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", "requirements.txt"],
  ],
  reach: [PYTHON, "-m", "pip", "index", "versions", "pip"],
  libraries: [
    {
      name: "PyJWT",
      version: version("pyjwt"),
      program: [PYTHON, "pyjwt.py"],
      grants: false,
      keeps: "set",
      unknownKid: "waits",
      keepsFor: 300,
      waitsFor: 30,
      algorithms: ALGORITHM_NAMES.filter((name) => !name.startsWith("ML-DSA")),
    },
    {
      name: "Authlib",
      version: version("authlib"),
      program: [PYTHON, "authlib_client.py"],
      grants: true,
      keeps: "set",
      unknownKid: "refuses",
      algorithms: ["RS256", "ES256"],
    },
    {
      name: "jwcrypto",
      version: version("jwcrypto"),
      program: [PYTHON, "jwcrypto_client.py"],
      grants: false,
      keeps: "nothing",
      unknownKid: "fetches",
      algorithms: ALGORITHM_NAMES,
    },
  ],
});

Deno.test({
  name: "jwcrypto and argon2-cffi open the stored keys with the secret, and sign with them",
  ignore: directory === undefined,
  async fn() {
    await using server = await startSettled();
    const { success, stdout, stderr } = await new Deno.Command(`${directory}/${PYTHON}`, {
      args: ["open_keys.py"],
      cwd: directory!,
      env: { DATABASE: server.directory.database, NOT_MY_KEY: SECRET, ISSUER: server.url },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const published = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
    const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
    const verified = await Promise.all(lines.map((line) => compactVerify(line, published)));
    const kids = verified.map(({ protectedHeader }) => protectedHeader.kid!);
    assert.deepEqual(kids.sort(), (await publishedKids(server)).sort());
  },
});
