/** How the server writes its log: as the configuration says, else as suits who reads it. */

import { formatJson, type LogFormat } from "../base/log.ts";
import { createTextFormat } from "../base/log_text.ts";
import type { Config } from "../server/config.ts";
import type { Reader } from "./output.ts";

export function chooseLogFormat(
  asked: Config["logFormat"],
  { isTerminal, isColoured }: Reader,
): LogFormat {
  const format = asked ?? (isTerminal ? "text" : "json");
  return format === "json" ? formatJson : createTextFormat({ isColoured });
}
