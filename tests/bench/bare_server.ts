/**
 * The least that Deno can do: answers every request with the same status, bytes and headers, which
 * come as JSON in the only argument; the body as text or as bytes. Says its port on standard output.
 */

const { status, headers, text, isText } = JSON.parse(Deno.args[0]!) as {
  status: number;
  headers: [string, string][];
  text: string;
  isText: boolean;
};
const body = status === 304 ? null : isText ? text : new TextEncoder().encode(text);

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => void Deno.stdout.write(new TextEncoder().encode(`${port}\n`)),
}, () => new Response(body, { status, headers }));
