/** Bodies and names as attackers send them. */

/** The user whose name others try to pass for. */
export const ALICE = { username: "Alice.Kay", email: "alice@example.com" };

/** JSON of no use to any route. */
export const JSON_BODIES: Record<string, string | Uint8Array> = {
  "empty": "",
  "white space": " \n\t ",
  "cut short": '{"username":"a","password":',
  "with a comma at its end": '{"username":"a","password":"b",}',
  "with a comment": '{"username":"a","password":"b"/**/}',
  "in single quotes": "{'username':'a','password':'b'}",
  "two objects": '{"username":"a","password":"b"}{}',
  "NaN": '{"username":NaN}',
  "with a control character in a string": '{"username":"a\u0001","password":"b"}',
  "with an escape that is none": '{"username":"\\x41","password":"b"}',
  "null": "null",
  "a number": "1e999",
  "a string": '"username"',
  "true": "true",
  "an array": '[{"username":"a","password":"b"}]',
  "8,000 arrays deep": "[".repeat(8000),
  "1,300 objects deep": `${'{"a":'.repeat(1300)}1${"}".repeat(1300)}`,
  "a name twice": '{"username":"a","username":"b","password":"c"}',
  "a name twice, once escaped": '{"username":"a","\\u0075sername":"b","password":"c"}',
  "a name twice, deep within": '{"username":"a","password":"b","x":[{"y":{"z":1,"\\u007a":2}}]}',
  "__proto__ twice": '{"__proto__":1,"__proto__":2,"username":"a","password":"b"}',
  "credentials in __proto__": `{"__proto__":{"username":"${ALICE.username}","password":"x"}}`,
  "credentials in constructor": '{"constructor":{"prototype":{"username":"a","password":"b"}}}',
  "a list for a name": '{"username":["Alice.Kay"],"password":"b","email":[]}',
  "an object for a name": '{"username":{"toString":"a"},"password":"b","email":{}}',
  "a number for a name": '{"username":1e999,"password":"b","email":1}',
  "null for a name": '{"username":null,"password":null,"email":null}',
  "true for a name": '{"username":true,"password":true,"email":true}',
  "an object for a password": '{"username":"a","password":{"length":36},"email":{"length":9}}',
  "UTF-8 with a byte too few": bytes('{"username":"a', [0xc3], '","password":"b"}'),
  "UTF-8 in a longer form": bytes('{"username":"', [0xc0, 0xaf], '","password":"b"}'),
  "a surrogate in UTF-8": bytes('{"username":"', [0xed, 0xa0, 0x80], '","password":"b"}'),
  "beyond Unicode": bytes('{"username":"', [0xf4, 0x90, 0x80, 0x80], '","password":"b"}'),
  "UTF-16": new Uint8Array(
    new Uint16Array([...'{"username":"a"}'].map((c) => c.charCodeAt(0))).buffer,
  ),
  "Latin-1": bytes('{"username":"', [0xe4], '","password":"b"}'),
  "with a byte order mark": bytes([0xef, 0xbb, 0xbf], '{"username":"a","password":"b"}'),
  "zeros": new Uint8Array(100),
};

/** What looks like `Alice.Kay`, or is read as it by who cuts, folds or normalizes. */
export const LOOK_ALIKES = [
  ...["Alice.Kay\0", "Alice.Kay\0x", "Alice.Kay ", " Alice.Kay", "Alice.Kay\n", "Alice.Kay\t"],
  ...[
    "Alice.Kay\u200b",
    "\ufeffAlice.Kay",
    "Alice\u00ad.Kay",
    "\u202eAlice.Kay",
    "\u2066Alice.Kay\u2069",
  ],
  ...[
    "\u0410lice.Kay",
    "Al\u0131ce.Kay",
    "Al\u0130ce.Kay",
    "Alice.\u212aay",
    "Alice\uff0eKay",
    "Alice\u2024Kay",
  ],
  ...["\uff21lice.Kay", "A\u0300lice.Kay", "Alic\u00e9.Kay", "Alice.Kay\ud800", "Alice.Kay\ufffd"],
  ...[
    "Alice%",
    "Alice_Kay",
    "Alice*",
    "%",
    "_",
    "Alice.Kay'--",
    "Alice.Kay\u001b[2J",
    "Alice.Kay:",
  ],
];

function bytes(...parts: (string | number[])[]): Uint8Array {
  const encoder = new TextEncoder();
  return new Uint8Array(
    parts.flatMap((part) => typeof part === "string" ? [...encoder.encode(part)] : part),
  );
}
