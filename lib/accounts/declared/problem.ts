/** What is wrong with a file of clients, told by the JSON path of what is meant. */

import { DomainError } from "../../base/errors.ts";

export type JsonPath = readonly PropertyKey[];

export interface Problem {
  path: JsonPath;
  message: string;
}

/** The path as JSONPath writes it (RFC 9535 §2): `$.clients[2].policy.scopes[0]`. */
export function formatPath(path: JsonPath): string {
  return "$" + path.map((step) => {
    if (typeof step === "number") return `[${step}]`;
    const name = String(step);
    return /^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  }).join("");
}

/** The refusal of a file, with every problem in the order of the clients. */
export function refusal(file: string, problems: readonly Problem[]): DomainError {
  const place = ({ path }: Problem) => typeof path[1] === "number" ? path[1] : -1;
  const hints = problems.toSorted((one, other) => place(one) - place(other))
    .map(({ path, message }) => `${formatPath(path)}: ${message}`);
  const count = hints.length === 1 ? "a problem" : `${hints.length} problems`;
  const message = `The clients file ${file} has ${count}; nothing is changed`;
  return new DomainError("configuration", message, { hints });
}

/** A name or an address as it is compared: without regard to ASCII case. */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
