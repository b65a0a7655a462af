/** The process as a whole, under the names that dashboards know. */

import process from "node:process";
import type { Instruments } from "./instruments.ts";

export function measureProcess(instruments: Instruments): void {
  const started = Date.now() / 1000 - process.uptime();
  instruments.readCounter(
    "process_cpu_seconds_total",
    "CPU time of the process, of the user and of the system.",
    () => {
      const { user, system } = process.cpuUsage();
      return [[{}, (user + system) / 1e6]];
    },
  );
  const gauge = instruments.readGauge.bind(instruments);
  gauge("process_start_time_seconds", "When the process started.", () => started);
  gauge("process_resident_memory_bytes", "Resident memory.", () => Deno.memoryUsage().rss);
  gauge("nodejs_heap_size_used_bytes", "Heap in use.", () => Deno.memoryUsage().heapUsed);
  gauge("nodejs_heap_size_total_bytes", "Size of the heap.", () => Deno.memoryUsage().heapTotal);
  gauge("nodejs_eventloop_lag_seconds", "How late a timer was just now.", eventLoopLag);
}

/** For how many seconds what is due now has to wait for its turn. */
async function eventLoopLag(): Promise<number> {
  const asked = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 0));
  return Math.max(0, performance.now() - asked) / 1000;
}
