/** A Fastify server with one resource, which tells the claims of the token that it was asked with. */

import { converse } from "./conversation.js";

/** Serves `/claims` behind the hook `authenticate`, and asks it for each token. */
export async function converseThrough(app, authenticate) {
  app.get("/claims", { preValidation: authenticate }, (request) => request.user);
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  await converse({
    async verify(token) {
      const answer = await fetch(`${url}/claims`, {
        headers: { authorization: `Bearer ${token}` },
      });
      if (answer.status === 200) return await answer.json();
      throw new Error(`${answer.status} ${await answer.text()}`);
    },
  });
  await app.close();
}
