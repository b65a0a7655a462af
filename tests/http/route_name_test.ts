import assert from "node:assert/strict";
import fc from "fast-check";
import { createRouteName, methodName, ROUTES } from "../../lib/http/route_name.ts";
import { ISSUER, makeApp } from "../support.ts";

const nameOf = (path: string, issuer = ISSUER) =>
  createRouteName(issuer)(new Request(`http://localhost:8080${path}`));

Deno.test("createRouteName() knows every route of the app, with and without a path of the issuer", async () => {
  for (const issuerUrl of [ISSUER, `${ISSUER}/tenant`, `${ISSUER}/a/b/`]) {
    const { app } = await makeApp({ app: { issuerUrl } });
    const named = new Set(app.routes.map(({ path }) => nameOf(path, issuerUrl)));
    assert.deepEqual(named, new Set(ROUTES), issuerUrl);
  }
});

Deno.test("createRouteName() names a route as the app finds it: by its path as it is written, without the query", () => {
  for (const path of ["/auth", "/auth?expired=true", "/auth?a=/b"]) {
    assert.equal(nameOf(path), "/auth", path);
  }
  for (const path of ["/", "/?a=b"]) assert.equal(nameOf(path), "/", path);
  for (const path of ["/", "/tenant", "/tenant/"]) {
    assert.equal(nameOf(path, `${ISSUER}/tenant`), "/", path);
  }
  for (
    const path of [
      "/%61uth",
      "/auth/",
      "//auth",
      "/AUTH",
      "/authx",
      "/x/auth",
      "/tenant/auth",
      "/tenant",
    ]
  ) {
    assert.equal(nameOf(path), "other", path);
  }
});

Deno.test("createRouteName() and methodName() give few names, whatever is asked for", () => {
  const known = new Set<string>([...ROUTES, "other"]);
  fc.assert(fc.property(fc.webPath(), fc.webQueryParameters(), (path, query) => {
    assert.ok(known.has(nameOf(`/${path}?${query}`)));
  }));
  const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
  for (const method of methods) {
    assert.equal(methodName(new Request("http://localhost/", { method })), method);
  }
  fc.assert(fc.property(fc.stringMatching(/^[A-Z]{1,20}$/), (method) => {
    fc.pre(!methods.includes(method) && !["TRACE", "TRACK", "CONNECT"].includes(method));
    assert.equal(methodName(new Request("http://localhost/", { method })), "other");
  }));
});
