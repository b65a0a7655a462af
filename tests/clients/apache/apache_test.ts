import { fileURLToPath } from "node:url";
import { proveLanguage } from "../driver/proof.ts";

const PACKAGE = "libapache2-mod-auth-openidc";

/** The version that Debian has installed; empty without it. */
async function version(): Promise<string> {
  const args = ["--show", "--showformat=${Version}", PACKAGE];
  const query = new Deno.Command("dpkg-query", { args, stderr: "null" });
  const answer = await query.output().catch(() => undefined);
  return new TextDecoder().decode(answer?.stdout);
}

await proveLanguage({
  name: "Apache",
  directory: new URL("./", import.meta.url),
  tools: [["apache2", "-v"], ["dpkg-query", "--status", PACKAGE], ["openssl", "version"]],
  pins: [],
  install: [],
  reach: ["true"],
  libraries: [
    {
      name: "mod_auth_openidc",
      version: await version(),
      program: [
        ...[Deno.execPath(), "run", "--quiet", "-P=test"] as const,
        fileURLToPath(new URL("gateway.ts", import.meta.url)),
      ],
      grants: false,
      keeps: "set",
      unknownKid: "fetches",
      overlooks: ["not-yet-valid"],
      algorithms: [
        ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
        ...["ES256", "ES384", "ES512"],
      ],
    },
  ],
});
