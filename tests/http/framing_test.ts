import assert from "node:assert/strict";
import { framingFault } from "../../lib/http/framing.ts";
import { HOSTNAME, sendRaw, withServer } from "./running_server.ts";

Deno.test("framingFault() finds nothing in a body that ends in one place", () => {
  for (const headers of [{}, { "content-length": "2" }, { "transfer-encoding": "chunked" }]) {
    assert.equal(framingFault(new Headers(headers as HeadersInit)), undefined);
  }
  assert.equal(framingFault(new Headers({ "transfer-encoding": "Chunked" })), undefined);
});

Deno.test("framingFault() finds every other coding, and a length beside one (RFC 9112 §6.1, §6.3)", () => {
  for (const coding of ["gzip, chunked", "chunked, chunked", "chunked, identity", "identity", ""]) {
    const fault = framingFault(new Headers({ "transfer-encoding": coding }));
    assert.equal(fault, "The Transfer-Encoding must be chunked", coding);
  }
  const both = new Headers({ "transfer-encoding": "chunked", "content-length": "2" });
  assert.match(framingFault(both)!, /both/);
});

Deno.test("Server takes no coding but chunked, and nothing more on the connection of a chunked body", async () => {
  let reached = 0;
  const handler = async (request: Request) => {
    reached++;
    return new Response(await request.text());
  };
  await withServer(handler, async ({ port, url }) => {
    const ask = (coding: string) => {
      const head = ["POST / HTTP/1.1", `Host: ${HOSTNAME}`, "Connection: close"];
      return sendRaw(port, [...head, `Transfer-Encoding: ${coding}`, "", "2", "ab", "0"]);
    };
    const refused = await ask("gzip, chunked");
    assert.match(refused, /^HTTP\/1\.1 400 /);
    assert.match(refused, /"error":"invalid_request"/);
    assert.equal(reached, 0);
    assert.match(await ask("chunked"), /^HTTP\/1\.1 200 [^]*\r\n\r\nab$/);

    const body = () => new Blob(["ab"]).stream(); // of no known length: chunked
    const chunked = await fetch(url, { method: "POST", body: body() });
    assert.deepEqual([chunked.headers.get("connection"), await chunked.text()], ["close", "ab"]);
    const whole = await fetch(url, { method: "POST", body: "ab" });
    assert.deepEqual([whole.headers.get("connection"), await whole.text()], [null, "ab"]);
  });
});
