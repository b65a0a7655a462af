import { ALGORITHM_NAMES } from "../../../lib/keys/algorithms.ts";
import { proveLanguage } from "../driver/proof.ts";

const MODULES = await Deno.readTextFile(new URL("go.mod", import.meta.url));

/** The version that go downloads. */
function version(module: string): string {
  return MODULES.match(new RegExp(`${module} v(\\S+)`))![1]!;
}

/** What the standard library of Go verifies. */
const CLASSIC = ALGORITHM_NAMES.filter((name) => !name.startsWith("ML-DSA"));

await proveLanguage({
  name: "Go",
  directory: new URL("./", import.meta.url),
  tools: [["go", "version"]],
  pins: ["go.mod", "go.sum"],
  install: [["go", "mod", "download"]],
  build: [["go", "build", "-o", "bin/", "./oidc", "./keyfunc"]],
  reach: ["go", "list", "-m", "-versions", "golang.org/x/oauth2"],
  libraries: [
    {
      name: "golang.org/x/oauth2, go-oidc",
      version: version("github.com/coreos/go-oidc/v3"),
      program: ["./bin/oidc"],
      grants: true,
      keeps: "set",
      unknownKid: "fetches",
      algorithms: CLASSIC,
    },
    {
      name: "keyfunc, golang-jwt",
      version: version("github.com/MicahParks/keyfunc/v3"),
      program: ["./bin/keyfunc"],
      grants: false,
      keeps: "set",
      unknownKid: "waits",
      algorithms: CLASSIC,
    },
  ],
});
