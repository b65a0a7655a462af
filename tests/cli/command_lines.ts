/** The command lines that the program understands, one of each command. */

/** Every command with arguments that are in order. */
export const COMMANDS = [
  "serve",
  "init",
  "keys list",
  "keys plan",
  "keys rotate",
  "keys revoke 1",
  "keys export 1",
  "keys publish directory",
  "keys import key.pem",
  "users add name --email name@example.com",
  "users list",
  "users disable name",
  "users enable name",
  "users reset-password name",
  "users show name",
  "users set name --note text",
  "users rotate-password name",
  "users add-key name key.pem",
  "users remove-key name kid",
  "users delete name",
  "apply clients.json",
  "rekey",
  "logs",
  "backup copy.db",
  "doctor",
  "healthcheck",
  "example prometheus",
  "completion bash",
].map((line) => line.split(" "));

/** The words of a command line before its first argument. */
export function nameOf([group, command]: readonly string[]): string[] {
  return group === "keys" || group === "users" ? [group, command!] : [group!];
}
