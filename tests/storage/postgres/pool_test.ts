import { canMakeCertificates, makeCertificate } from "../../certificates.ts";
import { hasPgBouncer } from "../../servers/pgbouncer.ts";
import { startServer } from "./databases.ts";
import { testEnvironment } from "./pool_environment.ts";
import { testLimits } from "./pool_limits.ts";
import { testLosses } from "./pool_losses.ts";
import { testNames, testNamesBehindPgBouncer } from "./pool_names.ts";
import { testPgBouncer } from "./pool_pgbouncer.ts";
import { testRefusals } from "./pool_refusals.ts";
import { testShortage, testShortageOfPgBouncer } from "./pool_shortage.ts";
import { testStatements } from "./pool_statements.ts";
import { testTls } from "./pool_tls.ts";
import { testTransactions } from "./pool_transactions.ts";

const what = "a test of the pool of PostgreSQL's connections";
const tls = await canMakeCertificates() ? await makeCertificate() : undefined;
const server = await startServer(what, {
  ...tls === undefined ? {} : { tls },
  settings: { deadlock_timeout: "10ms" },
});

if (server !== undefined) {
  const url = await server.createDatabase();
  testStatements(server, url);
  testNames(url);
  testTransactions(server, url);
  testLimits(server, url);
  testLosses(server, url);
  testShortage(server, url);
  testRefusals(server);
  testEnvironment(server);
  if (tls !== undefined) testTls(server, tls);
  if (await hasPgBouncer("a test of PgBouncer")) {
    testPgBouncer(server, url);
    testNamesBehindPgBouncer(server, url);
    testShortageOfPgBouncer(server, url);
  }
}
