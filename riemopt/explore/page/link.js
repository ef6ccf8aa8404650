// Requests and answers over the model that a host provides; of runs the latest wins.

/** A link to Python. Handlers take answers by type; `busy` says whether a run is under way. */
export function link(model, handlers) {
  let number = 0;
  let running = null;
  let waiting = null;
  const latest = {};

  const send = (request) => {
    const id = ++number;
    latest[request.type] = id;
    model.send({ ...request, id });
    return id;
  };

  const start = (run) => {
    running = { id: send(run.request), ...run };
  };

  const finish = (answer) => {
    if (running?.id !== answer.id) return null; // of a study that is no more
    const run = running;
    running = null;
    if (waiting) {
      const next = waiting;
      waiting = null;
      start(next);
    }
    return run;
  };

  const receive = (answer) => {
    const kind = answer.type === "refused" ? answer.of : answer.type;
    if (kind === "ran" || kind === "run") {
      const run = finish(answer);
      if (run) handlers[answer.type]?.(answer, run);
    } else if (answer.type === "progress" || answer.id === latest[REQUEST_OF[kind] ?? kind]) {
      handlers[answer.type]?.(answer);
    }
  };
  model.on("msg:custom", receive);

  return {
    send,
    /** Ask for a run; while one is under way, only the last that was asked for is kept. */
    run(request, given = {}) {
      const next = { request, ...given };
      if (running) waiting = next;
      else start(next);
    },
    /** Forget what was under way: nobody will answer any more. */
    reset() {
      running = waiting = null;
    },
    get busy() {
      return running !== null;
    },
    close() {
      model.off("msg:custom", receive);
    },
  };
}

const REQUEST_OF = { opened: "open", bent: "bend", checked: "check" };
