import assert from "node:assert/strict";
import { createFindClient } from "../../lib/http/client_address.ts";
import { authorityOf, isValidHost } from "../../lib/http/host.ts";
import type { Handler } from "../../lib/http/gate.ts";
import { Server } from "../../lib/http/listener.ts";
import { recordingLog } from "../support.ts";
import { HOSTNAME as hostname, sendRaw, withServer } from "./running_server.ts";

Deno.test("isValidHost() takes a host name or an IP address with an optional port", () => {
  const valid = ["localhost", "localhost:8080", "127.0.0.1:80", "[::1]", "[::1]:8080", "a.b-c.d"];
  for (const host of [...valid, "a_b.example", "EXAMPLE.com:0", "example.com:65535", "example:"]) {
    assert.equal(isValidHost(host), true, host);
  }
});

Deno.test("authorityOf() is what stands before the path, and nothing without one right after it", () => {
  const urls = [
    ["http://x/", "x"],
    ["http://x:80/auth?a=b", "x:80"],
    ["http://[::1]:80//", "[::1]:80"],
    ["https://x.y/*", "x.y"],
  ] as const;
  for (const [url, authority] of urls) assert.equal(authorityOf(url), authority, url);
  for (
    const url of ["http://x?/auth", "http://x", "http://x#/auth", "http://a@b/auth", "http:///a"]
  ) {
    assert.equal(authorityOf(url), undefined, url);
  }
});

Deno.test("isValidHost() refuses what would change the URL, and what is no host", () => {
  const routes = ["x/auth?", "x/auth", "x?", "x#", "user@x", "x:80/auth", "\\x", "x\\auth"];
  const ports = ["x:65536", "x:99999", "x:-1", "x:8a", "x:80:80", "x: 80"];
  const hosts = [
    "",
    " ",
    "a b",
    "a, b",
    "a,a",
    "[::1",
    "::1",
    "[::g]",
    "[]",
    "[x]",
    "ä",
    "1.2.3.400",
  ];
  for (const host of [null, ...routes, ...ports, ...hosts, "x%2Fauth", "x\t", "x;y", "http://x"]) {
    assert.equal(isValidHost(host), false, String(host));
  }
});

Deno.test("Server serves on a free port, which it tells before it begins", async () => {
  const server = new Server({ hostname, port: 0, log: recordingLog().log });
  const { host, port } = server;
  assert.equal(host, hostname);
  server.begin((request) => new Response(new URL(request.url).pathname));
  const response = await fetch(`http://${host}:${port}/path`);
  assert.equal(await response.text(), "/path");
  await server.stop(5000);
});

Deno.test("Server tells the handler the address of the socket's peer", async () => {
  const findClient = createFindClient([]); // an IPv4 address may arrive as the IPv6 one that means it
  const handler: Handler = (_, { remoteAddr }) =>
    new Response(findClient(remoteAddr.hostname, null).ip);
  await withServer(handler, async ({ url }) => {
    assert.equal(await (await fetch(url)).text(), hostname);
  });
});

Deno.test("Server answers a bad, missing or repeated Host with 400 before any handler", async () => {
  let reached = 0;
  const handler: Handler = () => {
    reached++;
    return new Response("reached");
  };
  await withServer(handler, async ({ server }) => {
    for (const hosts of [["Host: x/auth?"], ["Host: a@b"], ["Host: a", "Host: a"], ["Host:"], []]) {
      const answer = await sendRaw(server.port, ["GET / HTTP/1.1", ...hosts, "Connection: close"]);
      assert.match(answer, /^HTTP\/1\.1 400 /, hosts.join());
    }
    assert.equal(reached, 0);
    const answer = await sendRaw(server.port, [
      "GET / HTTP/1.1",
      "Host: localhost",
      "Connection: close",
    ]);
    assert.match(answer, /^HTTP\/1\.1 200 /);
    assert.equal(reached, 1);
  });
});

Deno.test("Server refuses a bad Host in the one error shape", async () => {
  await withServer(() => new Response(), async ({ server }) => {
    const request = ["GET / HTTP/1.1", "Host: x/auth?", "Connection: close"];
    const [, body] = (await sendRaw(server.port, request)).split("\r\n\r\n");
    const { error, error_description } = JSON.parse(body!);
    assert.equal(error, "invalid_request");
    assert.ok(!error_description.includes("x/auth"));
  });
});

Deno.test("Server answers a handler that fails with a generic 500, and logs it", async () => {
  for (const failure of [new Error("hunter2"), "hunter2"]) {
    await withServer(() => Promise.reject(failure), async ({ url, lines }) => {
      const response = await fetch(url);
      assert.equal(response.status, 500);
      assert.deepEqual(await response.json(), {
        error: "server_error",
        error_description: "The server could not answer",
      });
      assert.equal(lines.length, 1);
    });
  }
});

Deno.test("Server throws when its address is taken", async () => {
  await withServer(() => new Response(), async ({ server: { port } }) => {
    const { log } = recordingLog();
    const again = () => new Server({ hostname, port, log });
    assert.throws(again, Deno.errors.AddrInUse);
    await Promise.resolve();
  });
});

/** A handler whose answer waits until the test gives it, and a sign that a request is in it. */
function heldHandler() {
  const arrived = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  const handler: Handler = () => {
    arrived.resolve();
    return answer.promise;
  };
  return { handler, arrived: arrived.promise, answer };
}

Deno.test("Server refuses a missing Host before and after it has seen a valid one", async () => {
  await withServer(() => new Response("fine"), async ({ port }) => {
    const status = async (host: string[]) => {
      const answer = await sendRaw(port, ["GET / HTTP/1.1", ...host, "Connection: close"]);
      return Number(answer.split(" ", 2)[1]);
    };
    const hosts = [[], ["Host: a.example"], [], ["Host: a@b"], ["Host: a.example"]];
    const statuses: number[] = [];
    for (const host of hosts) statuses.push(await status(host));
    assert.deepEqual(statuses, [400, 200, 400, 400, 200]);
  });
});

/** Answers until a request is `/held`, whose answer waits until the test gives it. */
function partlyHeldHandler() {
  const held = heldHandler();
  const handler: Handler = (request, info) =>
    request.url.endsWith("/held") ? held.handler(request, info) : new Response("at once");
  return { ...held, handler };
}

Deno.test("Server.stop() answers what still comes, each the last on its connection, until there is a lull", async () => {
  await withServer(() => new Response("fine"), async ({ server, url, port, lines }) => {
    const before = await fetch(url);
    assert.deepEqual([before.headers.get("connection"), await before.text()], [null, "fine"]);
    const stopped = server.stop(5000);
    const answer = await sendRaw(port, ["GET / HTTP/1.1", "Host: localhost"]);
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /\r\nconnection: close\r\n/);
    assert.match(answer, /fine$/);
    await stopped;
    await assert.rejects(fetch(url), TypeError);
    assert.deepEqual(lines, []);
  });
});

Deno.test("Server.stop() waits for the request in flight, and refuses others in the end", async () => {
  const { handler, arrived, answer } = partlyHeldHandler();
  await withServer(handler, async ({ server, url, lines }) => {
    const inFlight = fetch(`${url}held`);
    await arrived;
    let isStopped = false;
    const stopped = server.stop(5000).then(() => isStopped = true);
    assert.equal(await (await fetch(url)).text(), "at once");
    const refused = await refusalOf(url);
    assert.equal(refused.error, "overloaded");
    assert.equal(isStopped, false);
    answer.resolve(new Response("whole"));
    assert.equal(await (await inFlight).text(), "whole");
    await stopped;
    await assert.rejects(fetch(url), TypeError);
    assert.deepEqual(lines, []);
  });
});

/** Asks until the answer is a 503. */
async function refusalOf(url: string): Promise<{ error: string }> {
  for (;;) {
    const response = await fetch(url);
    const text = await response.text();
    if (response.status === 503) return JSON.parse(text);
    assert.deepEqual([response.status, text], [200, "at once"]);
  }
}

Deno.test("Server.stop() ends in the first moment with nothing in flight, with no request refused", async () => {
  const { handler, arrived, answer } = partlyHeldHandler();
  await withServer(handler, async ({ server, url }) => {
    const inFlight = fetch(`${url}held`);
    await arrived;
    const stopped = server.stop(5000);
    setTimeout(() => answer.resolve(new Response("whole")), 300);
    let isStopped = false;
    stopped.then(() => isStopped = true);
    while (!isStopped) {
      const status = await fetch(url).then(async (response) => {
        await response.body?.cancel();
        return response.status;
      }, () => "closed");
      assert.ok(status === 200 || status === "closed", String(status));
    }
    assert.equal(await (await inFlight).text(), "whole");
  });
});

Deno.test("Server.stop() loses patience with a request that does not end", async () => {
  const { handler, arrived, answer } = heldHandler();
  await withServer(handler, async ({ server, url }) => {
    const inFlight = fetch(url);
    await arrived;
    assert.equal(await server.stop(10), undefined);
    answer.resolve(new Response("late"));
    assert.equal(await (await inFlight).text(), "late");
  });
});

Deno.test("Server tells an observer of each answer once, with its status, also of what it refuses itself", async () => {
  const server = new Server({ hostname, port: 0, log: recordingLog().log });
  const told: [path: string, status: number][] = [];
  const answered = (request: Request, status: number, milliseconds: number) => {
    assert.ok(milliseconds >= 0 && milliseconds < 10_000);
    told.push([new URL(request.url).pathname, status]);
  };
  const answers: Record<string, Handler> = {
    "/now": () => new Response(null, { status: 204 }),
    "/later": () => Promise.resolve(new Response("later", { status: 201 })),
    "/broken": () => Promise.reject(new Error("unexpected")),
  };
  server.begin((request, info) => answers[new URL(request.url).pathname]!(request, info), {
    answered,
  });
  const url = `http://${server.host}:${server.port}`;
  for (const [path, method] of [["/now", "GET"], ["/later", "GET"], ["/later", "POST"]]) {
    await (await fetch(url + path!, { method: method! })).body?.cancel();
  }
  await (await fetch(`${url}/broken`)).body?.cancel();
  await sendRaw(server.port, ["GET /now HTTP/1.1", "Host: x?", "Connection: close"]);
  await server.stop(5000);
  assert.deepEqual(told, [
    ["/now", 204],
    ["/later", 201],
    ["/later", 201],
    ["/broken", 500],
    ["/", 400],
  ]);
});

Deno.test("Server answers what came before it began as soon as it has", async () => {
  await withServer(undefined, async ({ server, port, url }) => {
    using early = await Deno.connect({ hostname, port });
    const head = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 4\r\n";
    await early.write(new TextEncoder().encode(`${head}\r\ntext`));
    for (let later = 0; later < 3; later++) { // until what came first has surely been read
      const ready = await fetch(`${url}readyz`);
      assert.deepEqual([ready.status, (await ready.json()).error], [503, "overloaded"]);
    }
    server.begin(async (request) => new Response(await request.text()));
    const answer = await new Response(early.readable).text();
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*text$/);
  });
});

Deno.test("Server that does not begin in time refuses, as one that may be asked again", async () => {
  await withServer(undefined, async ({ url }) => {
    const answer = await fetch(url);
    assert.deepEqual([answer.status, (await answer.json()).error], [503, "overloaded"]);
    assert.equal(answer.headers.get("retry-after"), "1");
  });
});

Deno.test("Server says that it is alive before it begins, and that it can do nothing yet", async () => {
  await withServer(undefined, async ({ url }) => {
    const alive = await fetch(`${url}healthz`);
    assert.deepEqual([alive.status, await alive.json()], [200, { status: "ok" }]);
    const ready = await fetch(`${url}readyz`);
    assert.deepEqual([ready.status, (await ready.json()).error], [503, "overloaded"]);
  });
});
