import { ALGORITHM_NAMES } from "../../../lib/keys/algorithms.ts";
import { proveLanguage } from "../driver/proof.ts";

const PROJECT = await Deno.readTextFile(new URL("pom.xml", import.meta.url));
const CLASSPATH = "target/classes:target/lib/*";

/** The version that Maven resolves. */
function version(artifact: string): string {
  const pattern = `<artifactId>${artifact}</artifactId>\\s*<version>(.*)</version>`;
  return PROJECT.match(new RegExp(pattern))![1]!;
}

const MAVEN = ["mvn", "--quiet", "--batch-mode"] as const;

/** Compiles, and copies what the classes need. */
const COMPILE = [...MAVEN, "compile"] as const;

await proveLanguage({
  name: "Java",
  directory: new URL("./", import.meta.url),
  tools: [["javac", "--release", "17", "--version"], ["mvn", "--version"]],
  pins: ["pom.xml"],
  install: [COMPILE],
  build: [COMPILE],
  reach: [...MAVEN, "--update-snapshots", "dependency:resolve", "dependency:resolve-plugins"],
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
