import assert from "node:assert/strict";
import axe, { type AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { CHROMIUM, HeadlessBrowser } from "./browser.ts";
import { eventually, Server } from "./harness.ts";
import { works } from "./skip.ts";

const isPossible = await works([CHROMIUM, "--version"], "the page in a browser");

/** The narrowest telephone and a desk. */
const WIDTHS = [360, 1280];

async function register(page: Page, username: string): Promise<void> {
  await page.fill("#register-username", username);
  await page.fill("#register-email", `${username}@example.com`);
  await page.click("#register-form button");
  await page.waitForSelector("#register-result.good");
}

/** What the page says of the token, once that is other than before. */
async function verdictAfter(page: Page, act: () => Promise<void>): Promise<string> {
  const before = await page.textContent("#verdict");
  await act();
  return await eventually("another verdict", async () => {
    const verdict = await page.textContent("#verdict");
    return verdict === before ? undefined : verdict!;
  });
}

/** The rules of WCAG and of good practice that the page breaks as it stands, and where. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations, incomplete } = await page.evaluate<AxeResults>(
    "axe.run({ resultTypes: ['violations', 'incomplete'] })",
  );
  // Of text in a picture axe cannot tell the background: it has the colours of the text beside it.
  const unclear = incomplete.filter(({ id }) => id === "color-contrast").map(({ id, nodes }) => ({
    id,
    nodes: nodes.filter(({ html }) => !/^<(?:text|tspan)\b/.test(html)),
  }));
  return [...violations, ...unclear].flatMap(({ id, nodes }) => {
    return nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`);
  });
}

Deno.test({
  name: "the page in a browser",
  ignore: !isPossible,
}, async (test) => {
  await using server = await Server.start({ env: { SIGNING_ALG: "ES256" } });
  await using browser = await HeadlessBrowser.launch();
  const url = `${server.url.replace("127.0.0.1", "localhost")}/`;

  await test.step("registers, gets a token, and verifies it; refuses others, and says why", async () => {
    const permissions = ["clipboard-read", "clipboard-write"];
    await using visited = await browser.visit(url, { permissions });
    const { page, complaints } = visited;
    await register(page, "alice");
    await page.click("[data-copies=verify-command-0]");
    await page.waitForSelector("text=Copied");
    const copied = await page.evaluate("navigator.clipboard.readText()");
    assert.equal(copied, `curl -s ${url}.well-known/jwks.json`);
    const click = (selector: string) => () => page.click(selector);
    const getToken = click("#token-form button.primary");
    const valid = await verdictAfter(page, getToken);
    assert.equal(valid, "Valid: this issuer signed it, and nobody has changed it.");
    assert.equal(await page.textContent("#claims tr:has(th:text-is('sub')) td"), "alice");

    const expired = await verdictAfter(page, click("text=Get an expired one"));
    assert.equal(expired, "Refused: its key is not published; it has expired.");
    await verdictAfter(page, getToken);
    const tampered = await verdictAfter(page, click("#tamper"));
    assert.match(tampered, /^Refused: its signature does not fit: it was tampered with/);
    assert.equal(await page.textContent("#claims tr:has(th:text-is('sub')) td"), "admin");
    const pasted = await verdictAfter(page, () => page.fill("#token", "no.token"));
    assert.equal(pasted, "Refused: it is not a token.");

    await page.fill("#token-password", "wrong");
    await getToken();
    await page.waitForSelector("#token-result.bad");
    const refusal = await page.textContent("#token-result");
    assert.equal(refusal, "The username or the password is wrong.");

    assert.deepEqual(complaints, []);
    assert.equal(page.url(), url);
    assert.equal(await page.evaluate("localStorage.length + sessionStorage.length"), 0);
    assert.deepEqual(await page.context().cookies(), []);
  });

  await test.step("is accessible and fits, light and dark, narrow and wide", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      for (const width of WIDTHS) {
        await using visited = await browser.visit(url, {
          colorScheme,
          viewport: { width, height: 800 },
        });
        const { page } = visited;
        const where = `${colorScheme}, ${width} px`;
        await register(page, `user-${colorScheme}-${width}`);
        await verdictAfter(page, () => page.click("#token-form button.primary"));
        await verdictAfter(page, () => page.click("#tamper")); // it shows what passes and what fails
        assert.deepEqual(await findings(page), [], where);
        const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
        assert.equal(overflow, 0, where);
      }
    }
  });

  await test.step("is worked by the keyboard alone, and shows where one is", async () => {
    await using visited = await browser.visit(url);
    const { page, complaints } = visited;
    const tabTo = async (id: string) => {
      for (let count = 0; count < 12; count++) {
        await page.keyboard.press("Tab");
        const at = await page.evaluate(
          "(({ id, name, outerHTML }) => [id || outerHTML, getComputedStyle(document.activeElement).outlineStyle])(document.activeElement)",
        ) as [string, string];
        assert.notEqual(at[1], "none", at[0]);
        if (at[0].includes(id)) return;
      }
      throw new Error(`The keyboard does not come to ${id}`);
    };
    await tabTo("Skip to the content");
    await page.keyboard.press("Enter");
    await tabTo("register-username");
    await page.keyboard.type("keyboard");
    await tabTo("register-email");
    await page.keyboard.type("keyboard@example.com");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#register-result.good");
    await tabTo("token-username");
    await tabTo("token-password");
    const valid = await verdictAfter(page, () => page.keyboard.press("Enter"));
    assert.match(valid, /^Valid/);
    await tabTo("Get an expired one");
    const expired = await verdictAfter(page, () => page.keyboard.press("Space"));
    assert.match(expired, /it has expired/);
    await tabTo("tamper");
    assert.deepEqual(complaints, []);
  });

  await test.step("can be read without JavaScript", async () => {
    await using visited = await browser.visit(url, { javaScriptEnabled: false });
    const { page, complaints } = visited;
    assert.equal(await page.locator("form:visible, button:visible, textarea:visible").count(), 0);
    assert.ok(await page.isVisible("text=The forms need JavaScript"));
    assert.ok(await page.isVisible("svg.timeline"));
    assert.equal(await page.locator("pre:visible").count(), 5);
    assert.deepEqual(complaints, []);
  });
});
