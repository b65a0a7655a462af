import assert from "node:assert/strict";
import { ValkeyConnection } from "../../../lib/limits/valkey/connection.ts";
import { parseValkeyUrl } from "../../../lib/limits/valkey/location.ts";
import { canSpeakTls, RedisServer } from "../../servers/redis.ts";
import { failureOf } from "../../support.ts";
import { program } from "./valkeys.ts";

Deno.test({
  name:
    "ValkeyConnection speaks TLS with who it knows by its certificate and its name, and nobody else",
  ignore: program === undefined || !await canSpeakTls(program),
  async fn() {
    const lines = ["bind 127.0.0.1 127.0.0.2"];
    await using server = await RedisServer.launch(program!, { tls: true, password: "x", lines });
    const ca = await Deno.readTextFile(server.caFile!);
    const reply = async (url: string, ca?: string) => {
      const connection = new ValkeyConnection({ location: parseValkeyUrl(url)!, ca });
      try {
        await connection.connect();
        return await connection.send("PING");
      } finally {
        connection.close();
      }
    };
    assert.equal(await reply(server.url, ca), "PONG");
    const refused: [url: string, ca: string | undefined, reason: RegExp][] = [
      [server.url, undefined, /certificate|UnknownIssuer/i],
      [server.url.replace("127.0.0.1", "127.0.0.2"), ca, /certificate|NotValidForName/i],
      [server.url.replace("rediss", "redis"), undefined, /closed|ECONNRESET/i],
    ];
    for (const [url, ca, reason] of refused) {
      assert.match(String(await failureOf(() => reply(url, ca), url)), reason);
    }
  },
});
