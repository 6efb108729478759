// Continues the trace of the page with every call to the backend, as Sentry's browser SDK does by itself.
"use strict";

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content;
const traceHeaders = Object.fromEntries(
  ["sentry-trace", "baggage"].map((name) => [name, meta(name)]).filter(([, value]) => value),
);

const call = (method, path) => fetch(meta("shop-backend") + path, { method, headers: traceHeaders });
const euros = (cents) => `€ ${(cents / 100).toFixed(2)}`;

async function showProducts() {
  const products = await (await call("GET", "/products")).json();
  const rows = products.map(({ name, price_cents }) => {
    const row = document.createElement("li");
    const price = document.createElement("span");
    price.textContent = euros(price_cents);
    row.append(name, price);
    return row;
  });
  document.querySelector("#products").replaceChildren(...rows);
}

async function press({ target }) {
  const { method, path } = target.dataset;
  const output = document.querySelector("output");
  target.disabled = true;
  try {
    const response = await call(method, path);
    output.textContent = `${method} ${path}: ${response.status} ${await response.text()}`;
  } catch (error) {
    output.textContent = `${method} ${path}: ${error.message}`;
  } finally {
    target.disabled = false;
  }
}

document.querySelectorAll("button").forEach((button) => button.addEventListener("click", press));
if (traceHeaders["sentry-trace"]) {
  const link = document.querySelector("#trace");
  link.href = `${meta("shop-collector")}/traces/${traceHeaders["sentry-trace"].split("-")[0]}`;
  link.hidden = false;
}
showProducts();
