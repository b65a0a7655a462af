import { ALGORITHM_NAMES } from "../../../lib/keys/algorithms.ts";
import { proveLanguage } from "../driver/proof.ts";

const PROJECT = await Deno.readTextFile(new URL("pom.xml", import.meta.url));
const CLASSPATH = "target/classes:target/lib/*";

/** The version that Maven resolves. */
function version(artifact: string): string {
  const pattern = `<artifactId>${artifact}</artifactId>\\s*<version>(.*)</version>`;
  return PROJECT.match(new RegExp(pattern))![1]!;
}

/** Compiles, with what it needs beside the classes. */
const COMPILE = ["mvn", "--quiet", "--batch-mode", "compile"] as const;

await proveLanguage({
  name: "Java",
  directory: new URL("./", import.meta.url),
  tools: [["javac", "--release", "17", "--version"], ["mvn", "--version"]],
  pins: ["pom.xml"],
  install: [COMPILE],
  build: [[...COMPILE, "--offline"]],
  reach: ["mvn", "--quiet", "--batch-mode", "--update-snapshots", "dependency:resolve"],
  libraries: [
    {
      name: "nimbus-jose-jwt",
      version: version("nimbus-jose-jwt"),
      program: ["java", "-cp", CLASSPATH, "NimbusJoseJwt"],
      grants: false,
      keeps: "set",
      unknownKid: "waits",
      algorithms: ALGORITHM_NAMES.filter((name) => /^(RS|PS|ES)/.test(name)),
    },
    {
      name: "oauth2-oidc-sdk",
      version: version("oauth2-oidc-sdk"),
      program: ["java", "-cp", CLASSPATH, "OidcSdk"],
      grants: true,
      keeps: "no keys",
      unknownKid: "fetches",
    },
  ],
});
