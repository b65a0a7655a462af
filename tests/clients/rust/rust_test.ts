import { proveLanguage } from "../driver/proof.ts";

const LOCKED = await Deno.readTextFile(new URL("Cargo.lock", import.meta.url));

/** The version that cargo builds. */
function version(crate: string): string {
  return LOCKED.match(new RegExp(`name = "${crate}"\\nversion = "(.*)"`))![1]!;
}

await proveLanguage({
  name: "Rust",
  directory: new URL("./", import.meta.url),
  tools: [["cargo", "--version"]],
  pins: ["Cargo.toml", "Cargo.lock"],
  install: [["cargo", "fetch", "--locked"]],
  build: [["cargo", "build", "--quiet", "--locked"]],
  reach: ["cargo", "update", "--dry-run"],
  libraries: [
    {
      name: "jsonwebtoken",
      version: version("jsonwebtoken"),
      program: ["./target/debug/jsonwebtoken"],
      grants: false,
      keeps: "set",
      unknownKid: "fetches",
      algorithms: [
        ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
        ...["ES256", "ES384", "EdDSA"],
      ],
    },
  ],
});
