// A file without Python: a model whose answers were recorded.

import { render } from "./explorer.js";

const { hello, opened, bent } = JSON.parse(document.getElementById("recorded").textContent);
const values = { hello, ...hello.opening };
const listeners = new Set();
const answer = (message) => queueMicrotask(() => listeners.forEach((listener) => listener(message)));

const model = {
  get: (name) => values[name],
  set: (name, value) => (values[name] = value),
  save_changes() {},
  on: (name, listener) => name === "msg:custom" && listeners.add(listener),
  off: (name, listener) => listeners.delete(listener),
  send({ type, id, chart }) {
    if (type === "open") answer({ ...opened, id, ran: { ...opened.ran, id } });
    if (type === "bend" && bent[chart]) answer({ ...bent[chart], id });
  },
};

render({ model, el: document.getElementById("explorer") });
