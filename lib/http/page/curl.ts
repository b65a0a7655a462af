/** What to type to call the server without the page. */

/** A call: what it does, and the line that does it. */
export interface Command {
  what: string;
  line: string;
}

/** The commands by what the page offers. */
export interface Commands {
  register: readonly Command[];
  token: readonly Command[];
  expired: readonly Command[];
  verify: readonly Command[];
}

/** The client that the lines are about. */
const CLIENT = "reporting";

/** @param base the URL below which the routes are; @param jwksUrl where the keys are published. */
export function commandsFor(base: string, jwksUrl: string): Commands {
  const url = (path: string) => shellWord(`${base}${path}`);
  const body = JSON.stringify({ username: CLIENT, email: "ops@example.com" });
  const login = `-u "${CLIENT}:$PASSWORD"`;
  const type = "-H 'Content-Type: application/json'";
  return {
    register: [{
      what: "Register by curl",
      line: `curl -s ${url("/register")} ${type} -d '${body}'`,
    }],
    token: [
      { what: "A token by curl", line: `curl -s ${login} -X POST ${url("/auth")}` },
      {
        what: "The same, the OAuth way",
        line: `curl -s ${login} -d grant_type=client_credentials ${url("/token")}`,
      },
    ],
    expired: [{
      what: "An expired token by curl",
      line: `curl -s ${login} -X POST ${url("/auth?expired=true")}`,
    }],
    verify: [{ what: "The keys by curl", line: `curl -s ${shellWord(jwksUrl)}` }],
  };
}

/** A word as a POSIX shell reads it: in quotes unless nothing in it is special. */
export function shellWord(text: string): string {
  return /^[\w.:/@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
