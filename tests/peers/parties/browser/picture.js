// Takes a screenshot of a whole page: `node picture.js URL FILE`.
import { chromium } from "playwright-core";

const [url, path] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  const page = await browser.newPage({ viewport: { width: 1240, height: 600 } });
  await page.goto(url);
  await page.screenshot({ path, fullPage: true });
} finally {
  await browser.close();
}
