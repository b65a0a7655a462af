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
  return {
    register: [{
      what: "Register by curl",
      line: lines(
        `curl -s ${url("/register")}`,
        "-H 'Content-Type: application/json'",
        `-d '${body}'`,
      ),
    }],
    token: [
      { what: "A token by curl", line: lines(`curl -s ${url("/auth")}`, `-X POST ${login}`) },
      {
        what: "The same, the OAuth way",
        line: lines(`curl -s ${url("/token")}`, login, "-d grant_type=client_credentials"),
      },
    ],
    expired: [{
      what: "An expired token by curl",
      line: lines(`curl -s ${url("/auth?expired=true")}`, `-X POST ${login}`),
    }],
    verify: [{ what: "The keys by curl", line: `curl -s ${shellWord(jwksUrl)}` }],
  };
}

/** One command on several lines. */
function lines(...parts: string[]): string {
  return parts.join(" \\\n  ");
}

/** A word as a POSIX shell reads it: in quotes unless nothing in it is special. */
export function shellWord(text: string): string {
  return /^[\w.:/@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
