// The page of riemopt explore: a model over a socket, settings in the address, and how long answers took.

import { fromAddress, render, toAddress } from "./explorer.js";

const SECOND = 1000;
const token = new URLSearchParams(location.search).get("token") ?? "";
const latency = [];
window.riemopt = { latency };

const root = document.getElementById("explorer");
const values = {};
const listeners = {};
const emit = (name, ...given) => [...(listeners[name] ?? [])].forEach((listener) => listener(...given));
let socket = null;
let rendered = false;

const model = {
  latency,
  get: (name) => values[name],
  set(name, value) {
    values[name] = value;
  },
  /** Settings that were changed on the page become an address of its history. */
  save_changes() {
    const address = `#${toAddress(values)}`;
    if (address !== location.hash) history.pushState(null, "", address);
  },
  on: (name, listener) => (listeners[name] ??= new Set()).add(listener),
  off: (name, listener) => listeners[name]?.delete(listener),
  send(request) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request));
  },
  address: () => location.href,
};

function adoptAddress() {
  const found = fromAddress(location.hash.slice(1), values.hello);
  if (!found) return;
  if (found.family !== values.family) Object.assign(values, { start: null, view: null, plane: null });
  for (const [name, value] of Object.entries(found)) {
    if (value === undefined || value === null) continue;
    values[name] = value;
    if (rendered) emit(`change:${name}`);
  }
}

function begin(hello) {
  values.hello = hello;
  if (rendered) return emit("found");
  Object.assign(values, { plane: null, view: null }, structuredClone(hello.opening));
  adoptAddress();
  history.replaceState(null, "", `#${toAddress(values)}`);
  rendered = true;
  render({ model, el: root });
  window.addEventListener("popstate", adoptAddress);
  return undefined;
}

function connect() {
  socket = new WebSocket(`ws://${location.host}/socket?token=${encodeURIComponent(token)}`);
  socket.addEventListener("message", (event) => {
    const answer = JSON.parse(event.data);
    if (answer.type === "hello") begin(answer);
    else emit("msg:custom", answer);
  });
  socket.addEventListener("close", ({ code, reason }) => {
    if (code === 1008 || code === 1013) {
      if (!rendered) root.textContent = reason;
      emit("msg:custom", { type: "refused", of: "page", reason: `The server closed the connection: ${reason}` });
      if (code === 1008) return;
    } else emit("lost");
    setTimeout(connect, SECOND);
  });
}

connect();
