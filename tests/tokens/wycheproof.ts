/** Project Wycheproof's vectors, which `go mod download` fetches once and keeps in its cache. */

import { join } from "node:path";
import { withTempDir } from "../support.ts";

/** The Go module of the vectors, at the version whose reasons the tests list. */
export const MODULE = "github.com/c2sp/wycheproof";
const VERSION = "v0.0.0-20260902155932-3fa63dd0344a";

/** Of the module's content; `go mod download` refuses another. */
const GO_SUM = [
  `${MODULE} ${VERSION} h1:pNbL2nztRsWfW/ispAwsvcDFxs9Id38uIsR2/Up5G2c=`,
  `${MODULE} ${VERSION}/go.mod h1:/5JsOpi3fKmnnig5BQ2mz49TNtnrD308VfTVHcbr5x4=`,
];

/** For how long to wait for the network, in milliseconds. */
const PATIENCE = 60_000;

/** A vector: whether this JWS is to be taken under its group's key. */
export interface Vector {
  tcId: number;
  comment: string;
  jws: string;
  result: "valid" | "invalid" | "acceptable";
}

/** Vectors with their key, or key set; symmetric ones have no public half. */
export interface VectorGroup<Key> {
  comment: string;
  public?: Key;
  private: Key;
  tests: Vector[];
}

/** The directory of the vectors; `undefined` where they cannot be had. */
export async function findVectors(): Promise<string | undefined> {
  return await download().catch(() => undefined);
}

/** The groups of one of the files. */
export async function readVectors<Key>(
  directory: string,
  name: string,
): Promise<VectorGroup<Key>[]> {
  const text = await Deno.readTextFile(join(directory, "testvectors_v1", name));
  return JSON.parse(text).testGroups;
}

async function download(): Promise<string | undefined> {
  let found: string | undefined;
  await withTempDir(async (directory) => {
    const goMod = `module vectors\n\ngo 1.21\n\nrequire ${MODULE} ${VERSION}\n`;
    await Deno.writeTextFile(join(directory, "go.mod"), goMod);
    await Deno.writeTextFile(join(directory, "go.sum"), `${GO_SUM.join("\n")}\n`);
    const { success, stdout } = await new Deno.Command("go", {
      args: ["mod", "download", "-json", MODULE],
      cwd: directory,
      env: { GOTOOLCHAIN: "local", GOWORK: "off" },
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(PATIENCE),
    }).output();
    if (success) found = JSON.parse(new TextDecoder().decode(stdout)).Dir;
  });
  return found;
}
