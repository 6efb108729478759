// A Node service that calls others: `PEER_SERVER` is express (which calls with fetch) or http (which calls with http.get).
const Sentry = require(process.env.PEER_SDK);

const origins = process.env.PEER_ORIGINS.split(",");
Sentry.init({
  // If unset, the version's default applies.
  ...(process.env.PEER_LIFECYCLE && { traceLifecycle: process.env.PEER_LIFECYCLE }),
  tracePropagationTargets: origins.map((host) => `//${host}:`),
});

const http = require("node:http");
const party = process.env.PEER_NAME;

async function answer(request, call) {
  const [first, ...rest] = (new URL(request.url, "http://localhost").searchParams.get("via") || "").split(",");
  const headers = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    headers.push([request.rawHeaders[i].toLowerCase(), request.rawHeaders[i + 1]]);
  }
  let next = null;
  if (first) {
    const url = new URL(first);
    url.searchParams.set("via", rest.join(","));
    next = await call(url, { baggage: `${party}=own` });
  }
  return { party, headers, next };
}

async function callWithFetch(url, headers) {
  const response = await fetch(url, { headers });
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`);
  return response.json();
}

function callWithHttp(url, headers) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => (text += part));
      response.on("end", () => {
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${url} answers ${response.statusCode}: ${text}`));
      });
    });
    request.on("error", reject);
  });
}

function expressServer() {
  const app = require("express")();
  app.get(`/${party}/:item`, async (request, response) => response.json(await answer(request, callWithFetch)));
  return http.createServer(app);
}

function plainServer() {
  return http.createServer(async (request, response) => {
    try {
      const body = JSON.stringify(await answer(request, callWithHttp));
      response.writeHead(200, { "content-type": "application/json" }).end(body);
    } catch (error) {
      response.writeHead(502).end(String(error));
    }
  });
}

const server = process.env.PEER_SERVER === "express" ? expressServer() : plainServer();
server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));

process.stdin.resume().on("end", async () => {
  await Sentry.close(3000);
  process.exit(0);
});
