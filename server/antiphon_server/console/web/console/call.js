/** One call: its recording, every turn with its times, and all else that it left. */

import { api, ApiError } from "../shared/api.js";
import { announce, copy, fill, h, icon, toast } from "../shared/dom.js";
import { date, duration, exactDate, ms, number, plural } from "../shared/format.js";
import { legend } from "../shared/waterfall.js";
import { configuration } from "./call_config.js";
import { troubles } from "./call_errors.js";
import { eventLog } from "./call_events.js";
import { downloads } from "./call_files.js";
import { turnList } from "./call_turns.js";
import { confirmed } from "./dialog.js";
import { head, nothing, shown } from "./load.js";
import { recording } from "./recording.js";
import { go } from "./router.js";
import { firstWords } from "./said.js";
import { ended } from "./sessions.js";

/** @type {import("./router.js").Page["show"]} */
export async function callPage({ parts: [id = ""], main, signal, title }) {
  const path = `/v1/console/sessions/${encodeURIComponent(id)}`;
  const ready = shown(main, "page");
  let call;
  try {
    call = await api(path, { signal });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    fill(main, head("There is no such call"), gone());
    return;
  } finally {
    ready();
  }
  const { session } = call;
  title(`Call of ${date(session.created_at)}`);
  const player = recording(call, signal);
  const turns = turnList(call, player, signal);
  fill(
    main,
    way(),
    head(h("time", { datetime: session.created_at, title: exactDate(session.created_at) }, `Call of ${date(session.created_at)}`), actions(id, path, call)),
    facts(session),
    troubles(call.errors),
    player.element,
    call.turns.length
      ? h("section", { class: "stack", "aria-labelledby": "turns" }, h("div", { class: "row spread" }, h("h2", { id: "turns" }, "Turns"), legend()), turns.glance, turns.element)
      : nothing("wave", "Nobody said anything", h("p", null, "The call was opened, and no turn began.")),
    configuration(call),
    eventLog(path, signal),
  );
  const arrived = () => turns.reveal(location.hash.slice(1));
  window.addEventListener("hashchange", arrived, { signal });
  await turns.written;
  // Also where a link was pressed before all of them were there.
  if (location.hash && !signal.aborted) arrived();
}

/** Where this page is. */
function way() {
  return h("nav", { class: "small", "aria-label": "Where you are" }, h("a", { href: "/console/sessions" }, "Sessions"), h("span", { class: "soft", "aria-hidden": "true" }, " / "), h("span", { class: "soft" }, "Call"));
}

function gone() {
  return nothing(
    "search",
    "It may have been deleted",
    h("p", null, "Calls are deleted by hand, or when they are older than the server keeps them. A call of another account is not shown."),
    h("a", { class: "button", href: "/console/sessions" }, "To all calls"),
  );
}

/**
 * @param {string} id
 * @param {string} path
 * @param {any} call
 */
function actions(id, path, call) {
  const link = () => copy(location.origin + location.pathname, "The link is copied");
  return [
    h("button", { type: "button", class: "button", onclick: () => void link() }, icon("link"), "Copy link"),
    downloads(id, path, call),
    call.session.status === "completed" &&
      h("button", { type: "button", class: "button danger", onclick: () => void remove(id) }, icon("trash"), "Delete"),
  ];
}

/** @param {string} id */
async function remove(id) {
  const sure = await confirmed({
    title: "Delete this call?",
    says: "Its words, its configuration and its recording are deleted, and links to it are dead. What is billed stays. This cannot be undone.",
    does: "Delete the call",
    danger: true,
  });
  if (!sure) return;
  try {
    await api(`/v1/sessions/${encodeURIComponent(id)}`, { method: "DELETE" });
    announce("The call is deleted");
    toast("The call is deleted");
    await go("/console/sessions");
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), 10_000);
  }
}

/** @param {any} session */
function facts(session) {
  /** @type {[string, import("../shared/dom.js").Children][]} */
  const all = [
    ["First words", firstWords(session.first_words)],
    ["Agent", session.agent_id ? h("a", { href: `/console/agents/${encodeURIComponent(session.agent_id)}` }, h("bdi", { class: "said" }, session.agent_name ?? session.agent_id)) : "None stored"],
    ["State", ended(session)],
    ["Length", duration(session.duration_seconds)],
    ["Turns", number(session.turns)],
    ["Interruptions", number(session.interruptions)],
    ["Tool calls", number(session.tool_calls)],
    ["Errors", session.errors ? h("span", { class: "badge bad plain" }, number(session.errors)) : "0"],
    ["Median response", ms(session.response_p50_ms)],
    ["Slowest response", session.response_max_ms ? h("a", { href: "#slowest" }, ms(session.response_max_ms)) : ms(null)],
    ["Id", h("button", { type: "button", class: "plain", title: "Copy", onclick: () => void copy(session.id) }, h("code", null, session.id), h("span", { class: "visually-hidden" }, ": copy"))],
  ];
  return h(
    "dl",
    { class: "card snug facts", "aria-label": plural(session.turns, "turn") },
    all.map(([name, value]) => h("div", { class: name === "First words" ? "wide" : name === "Id" ? "wider" : null }, h("dt", null, name), h("dd", null, value))),
  );
}
