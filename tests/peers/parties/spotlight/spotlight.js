// Starts Spotlight's sidecar through its module API, since its command line sends telemetry to its vendor.
import { setupSpotlight } from "@spotlightjs/spotlight";

const server = await setupSpotlight({ port: 0, isStandalone: true });
console.log(`listening on http://127.0.0.1:${server.address().port}`);
process.stdin.resume().on("end", () => process.exit(0));
