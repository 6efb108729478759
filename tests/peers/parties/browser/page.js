// The page's script: Sentry's browser SDK, and one call to another origin.
import * as Sentry from "@sentry/browser";

// The driver sets these before the page loads.
const { dsn, lifecycle, calls } = window.peer;
Sentry.init({
  dsn,
  release: "page@1.0.0",
  environment: "peers",
  tracesSampleRate: 1,
  ...(lifecycle && { traceLifecycle: lifecycle }),
  integrations: [Sentry.browserTracingIntegration({ idleTimeout: 500 })],
  tracePropagationTargets: [new URL(calls).origin],
});

fetch(calls)
  .then((response) => response.json())
  .then((answer) => ({ answer }), (error) => ({ error: String(error) }))
  .then((outcome) => {
    window.outcome = outcome;
    document.querySelector("#outcome").textContent = outcome.error ?? `answered by ${outcome.answer.party}`;
  });

// The driver calls this, so that nothing is lost when the page is closed.
window.flush = () => Sentry.flush(10000);
