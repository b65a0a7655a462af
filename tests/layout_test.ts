import assert from "node:assert/strict";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const LIB = fileURLToPath(new URL("../lib/", import.meta.url));

/** The rooms, the topmost first: each may import from those below it. */
const ROOMS = [
  "cli",
  "server",
  "http",
  "tokens",
  "accounts",
  "keys",
  "sealing",
  "limits",
  "rotation",
  "storage",
  "base",
];

/** The file of each room that says what the room is for. */
const MAIN_FILES: Record<string, string> = {
  cli: "program.ts",
  server: "serve.ts",
  http: "app.ts",
  tokens: "login.ts",
  accounts: "accounts.ts",
  keys: "key_ring.ts",
  sealing: "encryption.ts",
  limits: "limiter.ts",
  rotation: "policy.ts",
  storage: "storage.ts",
  base: "errors.ts",
};

/** Every file of lib with the files it imports, by paths within lib. */
async function imports(): Promise<Map<string, string[]>> {
  const files = new Map<string, string[]>();
  for (const file of await sources("")) {
    const text = await Deno.readTextFile(join(LIB, file));
    const found = [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+\.ts)"/g)];
    files.set(file, found.map(([, path]) => normalize(join(dirname(file), path!))));
  }
  return files;
}

async function sources(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(LIB, folder))) {
    if (isDirectory) found.push(...await sources(join(folder, name)));
    else if (name.endsWith(".ts")) found.push(join(folder, name));
  }
  return found;
}

function roomOf(file: string): string {
  return file.split("/")[0]!;
}

Deno.test("every file of lib lies in a room, and imports only from its own and from those below", async () => {
  const files = await imports();
  assert.deepEqual(new Set([...files.keys()].map(roomOf)), new Set(ROOMS));
  for (const [file, imported] of files) {
    for (const other of imported) {
      const isDown = ROOMS.indexOf(roomOf(file)) <= ROOMS.indexOf(roomOf(other));
      assert.ok(isDown, `${file} imports ${other}`);
    }
  }
});

Deno.test("no file of lib imports itself, by whatever way round", async () => {
  const files = await imports();
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `a circle: ${[...path, file].join(" → ")}`);
    if (done.has(file)) return;
    for (const other of files.get(file) ?? []) visit(other, [...path, file]);
    done.add(file);
  };
  for (const file of files.keys()) visit(file, []);
  assert.equal(done.size, files.size);
});

Deno.test("the main file of every room says in its first lines what the room may import", async () => {
  for (const [room, file] of Object.entries(MAIN_FILES)) {
    const text = await Deno.readTextFile(join(LIB, room, file));
    const comment = /^\/\*\*[^]*?\*\//.exec(text)?.[0] ?? "";
    assert.match(comment, /import/, `lib/${room}/${file}`);
  }
});

Deno.test("the clients of database and cache servers are loaded only where one is configured", async () => {
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = await Deno.readTextFile(join(LIB, file));
    for (const [, specifier] of text.matchAll(/^(?:im|ex)port (?!type )[^;]*?from "([^"]+)"/gm)) {
      if (["pg", "@redis/client"].includes(specifier!)) found.push(`${file}: ${specifier}`);
      if (/^\..*\.ts$/.test(specifier!)) await visit(normalize(join(dirname(file), specifier!)));
    }
  };
  await visit("cli/main.ts");
  assert.ok(seen.has("server/serve.ts"), "what is loaded at the start was not followed");
  assert.deepEqual(found, []);
});
