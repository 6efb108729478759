// Opens a page in Chromium, waits for the result of its call, and prints the result as one line of JSON.
import { chromium } from "playwright-core";

const { PEER_URL, PEER_CALLS, SENTRY_DSN, PEER_LIFECYCLE } = process.env;
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  await page.addInitScript((peer) => (window.peer = peer), {
    dsn: SENTRY_DSN,
    lifecycle: PEER_LIFECYCLE,
    calls: PEER_CALLS,
  });
  await page.goto(PEER_URL);
  await page.waitForFunction(() => window.outcome, null, { timeout: 15000 });
  const outcome = await page.evaluate(() => window.outcome);
  // The page load transaction ends after a period without activity. Then it is sent.
  const sent = await page.evaluate(() => new Promise((done) => setTimeout(() => done(window.flush()), 2500)));
  console.log(`outcome ${JSON.stringify({ ...outcome, said, sent })}`);
} finally {
  await browser.close();
}
