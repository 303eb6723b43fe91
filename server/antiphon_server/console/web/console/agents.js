/** The stored agents. */

import { api } from "../shared/api.js";
import { fill, h, icon } from "../shared/dom.js";
import { seen } from "../shared/format.js";
import { head, into, nothing } from "./load.js";
import { table } from "./table.js";
import { when } from "./when.js";

const PAGE = 100;

/** @type {import("./router.js").Page["show"]} */
export async function agentsPage({ url, main, signal }) {
  const list = h("div", { class: "stack" });
  fill(main, head("Agents", h("a", { class: "button primary", href: "/console/agents/new" }, icon("plus"), "New agent")), list);
  const cursor = url.searchParams.get("cursor");
  await into(list, {
    signal,
    shape: "rows",
    work: () => api("/v1/agents", { query: { limit: PAGE, cursor }, signal }),
    draw: ({ agents, has_more: more, response_metadata: next }) => {
      fill(
        list,
        agents.length ? lines(agents) : empty(),
        (more || cursor) &&
          h(
            "nav",
            { class: "row spread", "aria-label": "Pages" },
            cursor ? h("a", { class: "button", href: "/console/agents" }, "Newest") : h("span"),
            more && h("a", { class: "button", href: `/console/agents?cursor=${encodeURIComponent(next.next_cursor)}` }, "Older"),
          ),
      );
    },
  });
}

/** @param {any[]} agents */
function lines(agents) {
  return table({
    caption: "Stored agents",
    rows: agents,
    sorted: { by: "Changed", down: true },
    href: (row) => `/console/agents/${encodeURIComponent(row.id)}`,
    columns: [
      { name: "Name", cell: (row) => h("bdi", { class: "said strong" }, seen(row.name)), by: (row) => row.name, class: "wide" },
      { name: "Id", cell: (row) => h("code", { class: "said small" }, row.id) },
      { name: "Created", cell: (row) => when(row.created_at), by: (row) => row.created_at, class: "tight" },
      { name: "Changed", cell: (row) => when(row.updated_at), by: (row) => row.updated_at, class: "tight" },
      {
        name: "Try",
        cell: (row) => h("a", { class: "button small above", href: `/?agent=${encodeURIComponent(row.id)}`, "aria-label": `Try ${row.name} in the playground` }, icon("microphone"), "Try"),
      },
    ],
  });
}

function empty() {
  return nothing(
    "agent",
    "No agents yet",
    h("p", null, "An agent is a prompt, a voice and tools under one id, which clients then only have to name."),
    h("a", { class: "button primary", href: "/console/agents/new" }, icon("plus"), "New agent"),
  );
}
