/**
 * The inside of `/playground-sandbox`, a plain script: a page without an origin can load no
 * modules. Each piece of code gets a worker of its own, so that one that never ends can be ended.
 */

(() => {
  /** The worker's whole program. It is text here because it has to be a blob of this page. */
  const PROGRAM = `
    const logs = [];
    const text = (value) => {
      if (typeof value === "string") return value;
      const json = JSON.stringify(value);
      return json === undefined ? "null" : json;
    };
    for (const name of ["log", "info", "warn", "error", "debug"]) {
      console[name] = (...values) => {
        if (logs.length < 50) logs.push(values.map((one) => {
          try { return text(one); } catch { return String(one); }
        }).join(" ").slice(0, 2000));
      };
    }
    onmessage = async ({ data: { code, args } }) => {
      try {
        const AsyncFunction = (async () => {}).constructor;
        const value = await new AsyncFunction("args", '"use strict";\\n' + code)(args);
        postMessage({ failed: false, result: text(value), logs });
      } catch (error) {
        const said = error && error.message ? error.name + ": " + error.message : String(error);
        postMessage({ failed: true, result: said, logs });
      }
    };
  `;
  const address = URL.createObjectURL(new Blob([PROGRAM], { type: "text/javascript" }));

  addEventListener("message", ({ data, ports }) => {
    const port = ports[0];
    if (!port || typeof data?.code !== "string") return;
    /** @type {Worker} */
    let worker;
    const done = (/** @type {unknown} */ outcome) => {
      clearTimeout(limit);
      worker?.terminate();
      port.postMessage(outcome);
    };
    const limit = setTimeout(
      () =>
        done({
          failed: true,
          result: `The code was stopped: it took longer than ${data.milliseconds / 1000} s.`,
          logs: [],
        }),
      data.milliseconds,
    );
    try {
      worker = new Worker(address);
      worker.onmessage = (event) => done(event.data);
      worker.onerror = (event) =>
        done({ failed: true, result: event.message || "The code could not be run.", logs: [] });
      worker.postMessage({ code: data.code, args: data.args });
    } catch (error) {
      done({ failed: true, result: String(error), logs: [] });
    }
  });

  parent.postMessage("ready", "*");
})();
