/** What a call left, as files. */

import { api, send } from "../shared/api.js";
import { h, icon, toast } from "../shared/dom.js";
import { plural } from "../shared/format.js";

const PAGE = 1000;

/**
 * @param {string} id
 * @param {string} path of the call in REST
 * @param {any} call
 */
export function downloads(id, path, call) {
  const items = [
    ...call.artifacts.map((/** @type {any} */ one) => ({
      name: { audio: "Recording (Ogg Opus)", timeline: "Timeline (JSON)", metadata: "About the recording (JSON)" }[/** @type {string} */ (one.type)] ?? one.type,
      link: local(one.url),
      file: `${id}.${one.type === "audio" ? "ogg" : `${one.type}.json`}`,
    })),
    { name: "Events (JSON lines)", make: () => events(path), file: `${id}.events.jsonl` },
    call.journal && { name: "Journal (JSON lines)", make: () => send(`${path}/journal`, { milliseconds: 120_000 }).then((got) => got.blob()), file: `${id}.journal.jsonl` },
  ].filter(Boolean);
  return h(
    "details",
    { class: "drop" },
    h("summary", { class: "button" }, icon("download"), "Download"),
    h(
      "ul",
      { role: "list", class: "menu" },
      items.map((one) =>
        h(
          "li",
          null,
          one.link
            ? h("a", { href: one.link, download: one.file, target: "_blank", rel: "noopener" }, one.name)
            : h("button", { type: "button", onclick: () => void save(one) }, one.name),
        ),
      ),
    ),
  );
}

/**
 * A link to this server under the name by which the page knows it: another name for the same
 * server is another site to a browser.
 *
 * @param {string} url
 */
export function local(url) {
  const there = new URL(url, location.href);
  return there.pathname.startsWith("/v1/artifacts/") ? there.pathname + there.search : url;
}

document.addEventListener("click", (event) => {
  for (const drop of document.querySelectorAll("details.drop[open]")) {
    if (event.target instanceof Node && !drop.contains(event.target)) drop.removeAttribute("open");
  }
});
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" ? document.querySelector("details.drop[open]") : null;
  open?.removeAttribute("open");
  open?.querySelector("summary")?.focus();
});

/** @param {{make: () => Promise<Blob>, file: string}} one */
async function save({ make, file }) {
  try {
    saveBlob(await make(), file);
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), 10_000);
  }
}

/**
 * @param {Blob} blob
 * @param {string} file
 */
export function saveBlob(blob, file) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: file }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * All events of a call, page by page.
 *
 * @param {string} path
 */
async function events(path) {
  /** @type {string[]} */
  const lines = [];
  let after = -1;
  for (;;) {
    const page = await api(`${path}/events`, { query: { after, limit: PAGE } });
    for (const event of page.events) lines.push(`${JSON.stringify(event)}\n`);
    if (page.next === null || page.next === undefined) break;
    after = page.next;
  }
  toast(`${plural(lines.length, "event")} saved`);
  return new Blob(lines, { type: "application/x-ndjson" });
}
