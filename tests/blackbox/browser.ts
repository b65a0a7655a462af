/** A browser that nobody looks at: Debian's Chromium, one for all pages. */

import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** What the browser is called on a machine that has it. */
export const CHROMIUM = "chromium";

/** A page, and everything that the browser had to say against it. */
export interface VisitedPage extends AsyncDisposable {
  page: Page;
  /** Errors of scripts, violations of the policy, and what else the console tells as an error. */
  complaints: readonly string[];
}

export class HeadlessBrowser implements AsyncDisposable {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async launch(): Promise<HeadlessBrowser> {
    const { stdout } = await new Deno.Command("sh", { args: ["-c", `command -v ${CHROMIUM}`] })
      .output();
    const executablePath = new TextDecoder().decode(stdout).trim();
    // Chromium's own sandbox wants privileges that a container does not give.
    return new HeadlessBrowser(await chromium.launch({ executablePath, args: ["--no-sandbox"] }));
  }

  /** Opens a page in a window of its own, which shares nothing with others. */
  async visit(url: string, options: BrowserContextOptions = {}): Promise<VisitedPage> {
    const context = await this.#browser.newContext({ reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      // That a request was answered with 401 is what some tests are about.
      const isStatus = message.text().startsWith("Failed to load resource: the server responded");
      if (message.type() === "error" && !isStatus) complaints.push(message.text());
    });
    await page.goto(url);
    return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}
