/** Requests that are no HTTP/1.1 (RFC 9112), and those whose end two servers may see elsewhere. */

/** Asks for what anybody gets with 200: as part of a body it must get nothing. */
export const SMUGGLED = "GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n";

const POST = "POST /auth HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
const GET = "GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n";
const HIDDEN = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;

/** Heads whose body ends in two places, or in none, each with a body behind it. */
export const AMBIGUOUS: Record<string, string> = {
  "Content-Length before Transfer-Encoding (RFC 9112 §6.3, 3)": `${POST}Content-Length: ${
    5 + SMUGGLED.length
  }\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "Transfer-Encoding before Content-Length":
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  "a Content-Length that ends within the chunks":
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${HIDDEN}`,
  "both with a GET": `${GET}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  "two Content-Lengths": `${POST}Content-Length: 0\r\nContent-Length: 9\r\n\r\n`,
  "a list of Content-Lengths": `${POST}Content-Length: 2, 9\r\n\r\n{}`,
  "a list of equal Content-Lengths": `${POST}Content-Length: 2, 2\r\n\r\n{}`,
  "a Content-Length with a sign": `${POST}Content-Length: +2\r\n\r\n{}`,
  "a Content-Length below 0": `${POST}Content-Length: -2\r\n\r\n{}`,
  "a Content-Length in hexadecimal": `${POST}Content-Length: 0x2\r\n\r\n{}`,
  "an empty Content-Length": `${POST}Content-Length: \r\n\r\n{}`,
  "a Content-Length beyond 64 bits": `${POST}Content-Length: 18446744073709551618\r\n\r\n{}`,
  "a Content-Length in two words": `${POST}Content-Length: 2 2\r\n\r\n{}`,
  "a space before the colon of Content-Length (§5.1)": `${POST}Content-Length : 2\r\n\r\n{}`,
  "a space before the colon of Transfer-Encoding":
    `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
  "a Transfer-Encoding on a folded line (§5.2)":
    `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`,
  "a Transfer-Encoding behind a vertical tab":
    `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
  "a Transfer-Encoding that is none": `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  "identity beside a Content-Length":
    `${POST}Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}`,
  "chunked that is not the last coding (§6.1)":
    `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  "chunked twice":
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${HIDDEN}`,
  "chunked in HTTP/1.0 (§6.1)": POST.replace("1.1", "1.0") +
    "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n",
  ...Object.fromEntries(
    Object.entries({
      "a chunk size that is no number": "ZZ\r\n{}\r\n",
      "a chunk size below 0": "-2\r\n{}\r\n",
      "a chunk size with 0x": "0x2\r\n{}\r\n",
      "a chunk size beyond 64 bits": "10000000000000002\r\n{}\r\n",
      "a bare LF after a chunk size": "2\n{}\r\n",
      "a bare LF in a chunk extension": "2;a\nb\r\n{}\r\n",
      "a chunk without its CRLF": "2\r\n{}",
      "a chunk longer than its size": "2\r\n{}  \r\n",
    }).map(([what, body]) => [what, `${POST}Transfer-Encoding: chunked\r\n\r\n${body}0\r\n\r\n`]),
  ),
  "a trailer that is a request line":
    `${POST}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nGET / HTTP/1.1\r\n\r\n`,
};

/** Heads that are no HTTP/1.1: none reaches a route. */
export const MALFORMED: Record<string, string> = {
  "two spaces in the request line (§3)": "GET  /auth HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "tabs in the request line": "GET\t/auth\tHTTP/1.1\r\nHost: localhost\r\n\r\n",
  "a space after the version": "GET /auth HTTP/1.1 \r\nHost: localhost\r\n\r\n",
  "a space in the target (§3.2)": "GET /auth HTTP/1.1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "a space before the method": " GET /auth HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "a method with a parenthesis (§3.1)": "G(T /auth HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "HTTP/0.9": "GET /.well-known/jwks.json\r\n\r\n",
  "HTTP/1.2": "GET /.well-known/jwks.json HTTP/1.2\r\nHost: localhost\r\n\r\n",
  "HTTP/2.0 without its preface": "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
  "http in small letters (§2.3)": "GET / http/1.1\r\nHost: localhost\r\n\r\n",
  "a target without a slash": "GET .well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "an empty target": "GET  HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "a target that is a query": "GET ?a HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "a target with a backslash first": "GET \\auth HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "NUL in the target": "GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "bytes that are no UTF-8 in the target": "GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
  "a target of 70,000 characters": `GET /${"a".repeat(70_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  "a bare CR for a line end (§2.2)": `${GET.trimEnd()}\rX: y\r\n\r\n`,
  "a bare CR in a value": `${GET}X: y\rz\r\n\r\n`,
  "a folded line (§5.2)": `${GET}X: y\r\n z\r\n\r\n`,
  "a folded first line (§2.2)": `GET / HTTP/1.1\r\n Host: a\r\nHost: b\r\n\r\n`,
  "a field name with a parenthesis (§5)": `${GET}A(b: c\r\n\r\n`,
  "an empty field name": `${GET}: c\r\n\r\n`,
  "a line without a colon": `${GET}abc\r\n\r\n`,
  "NUL in a value (RFC 9110 §5.5)": `${GET}A: b\0c\r\n\r\n`,
  "NUL in a field name": `${GET}A\0: b\r\n\r\n`,
  "10,000 fields": `${GET}${"A: b\r\n".repeat(10_000)}\r\n`,
  "a field of a megabyte": `${GET}A: ${"b".repeat(1 << 20)}\r\n\r\n`,
  "two Hosts (§3.2)": `${GET}Host: localhost\r\n\r\n`,
};
