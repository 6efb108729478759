// @sentry/browser has no bundle, so this builds one from it and the page's script.
import { build } from "esbuild";

await build({ entryPoints: ["page.js"], outfile: "page.bundle.js", bundle: true, minify: true, logLevel: "warning" });
