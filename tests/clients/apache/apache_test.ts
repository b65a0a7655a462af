import { fileURLToPath } from "node:url";
import { proveLanguage } from "../driver/proof.ts";

const PACKAGE = "libapache2-mod-auth-openidc";

/** The version that Debian has installed; empty where it has none. */
async function version(): Promise<string> {
  const args = ["--show", "--showformat=${Version}", PACKAGE];
  try {
    const { stdout } = await new Deno.Command("dpkg-query", { args }).output();
    return new TextDecoder().decode(stdout);
  } catch {
    return ""; // it cannot be started: this is not Debian
  }
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
