// @sentry/browser comes without a bundle, so this makes one of it and the page's script.
import { build } from "esbuild";

await build({ entryPoints: ["page.js"], outfile: "page.bundle.js", bundle: true, minify: true, logLevel: "warning" });
