/**
 * The least that Deno can do: answers every request with the same bytes and headers, which come as
 * JSON in the only argument. Says its port on standard output.
 */

const { headers, text } = JSON.parse(Deno.args[0]!) as {
  headers: [string, string][];
  text: string;
};
const body = new TextEncoder().encode(text);

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => void Deno.stdout.write(new TextEncoder().encode(`${port}\n`)),
}, () => new Response(body, { headers }));
