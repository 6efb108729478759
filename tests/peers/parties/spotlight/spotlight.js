// Spotlight's sidecar by its module API: its command line would report to its makers.
import { setupSpotlight } from "@spotlightjs/spotlight";

const server = await setupSpotlight({ port: 0, isStandalone: true });
console.log(`listening on http://127.0.0.1:${server.address().port}`);
process.stdin.resume().on("end", () => process.exit(0));
