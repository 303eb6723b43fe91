/** One stored agent: all its fields, to be made, changed and deleted. */

import { api, ApiError } from "../shared/api.js";
import { announce, copy, fill, h, icon, toast } from "../shared/dom.js";
import { date, seen } from "../shared/format.js";
import { control } from "./agent_controls.js";
import { at, changes, GROUPS, put, writable, Wrong } from "./agent_fields.js";
import { confirmed } from "./dialog.js";
import { failed, head, nothing, shown } from "./load.js";
import { me } from "./me.js";
import { go } from "./router.js";

/** @type {import("./router.js").Page["show"]} */
export async function newAgentPage(visit) {
  await page(visit, null);
}

/** @type {import("./router.js").Page["show"]} */
export async function agentPage(visit) {
  const ready = shown(visit.main, "page");
  let agent;
  try {
    agent = await api(`/v1/agents/${encodeURIComponent(visit.parts[0] ?? "")}`, { signal: visit.signal });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    fill(visit.main, head("There is no such agent"), nothing("agent", "It may have been deleted", h("a", { class: "button", href: "/console/agents" }, "To all agents")));
    return;
  } finally {
    ready();
  }
  visit.title(agent.name);
  await page(visit, agent);
}

/**
 * @param {import("./router.js").Visit} visit
 * @param {any} agent null: a new one
 */
async function page({ main, signal, guard }, agent) {
  const voices = await voicesOf(signal);
  const start = writable(agent ?? { voice: { voice_id: voices[0]?.[0] ?? "" } });
  const fixed = Boolean(agent?.input?.turn_detection);
  const controls = GROUPS.flatMap((group) =>
    group.fields.map((field) => ({
      group: group.id,
      ...control(field.param === "voice.voice_id" ? { ...field, choices: voices } : field, at(start, field.param)),
    })),
  );
  const windows = h("input", { type: "checkbox", checked: fixed });
  const collect = () => collected(start, controls, windows.checked);
  let before = collect();
  const name = h("bdi", { class: "said" }, agent ? seen(agent.name) : "New agent");
  const changed = () => {
    try {
      return JSON.stringify(collect()) !== JSON.stringify(before);
    } catch {
      return true;
    }
  };
  const problem = h("div");
  const save = h("button", { type: "submit", class: "button primary" }, agent ? "Save" : "Create");
  const state = h("span", { class: "soft small", role: "status" });
  const form = h("form", { class: "stack loose agent-form", novalidate: true }, GROUPS.map((group) => section(group, controls, windows)), problem, h("div", { class: "row save-bar" }, save, state));
  form.addEventListener("input", () => (state.textContent = changed() ? "Not saved yet" : ""));
  windows.addEventListener("change", () => form.dispatchEvent(new Event("input")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fill(problem);
    for (const one of controls) one.fault("");
    save.disabled = true;
    try {
      const stored = await sent(agent, before, collect());
      announce(agent ? "Saved" : "The agent is created");
      toast(agent ? "Saved" : "The agent is created");
      if (agent) {
        forgetKeys(form);
        before = collect();
        state.textContent = "";
        name.textContent = seen(stored.name);
      } else {
        guard(null);
        await go(`/console/agents/${encodeURIComponent(stored.id)}`, { replace: true });
      }
    } catch (error) {
      if (!signal.aborted) refused(error, controls, problem, form);
    } finally {
      save.disabled = false;
    }
  });
  guard(changed);
  fill(main, h("nav", { class: "small", "aria-label": "Where you are" }, h("a", { href: "/console/agents" }, "Agents"), h("span", { class: "soft", "aria-hidden": "true" }, " / "), h("span", { class: "soft" }, agent ? "Agent" : "New")), head(name, agent && actions(agent)), agent && about(agent), form);
}

/**
 * What was written and is kept now is not shown any longer.
 *
 * @param {HTMLElement} form
 */
function forgetKeys(form) {
  for (const one of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("input[type=password]"))) {
    one.value = "";
    one.placeholder = "unchanged";
  }
}

/**
 * @param {any} start
 * @param {(import("./agent_controls.js").Control & {group: string})[]} controls
 * @param {boolean} fixed whether turns end by fixed windows
 */
function collected(start, controls, fixed) {
  /** @type {Record<string, any>} */
  const body = {};
  // Objects are replaced as a whole: what the form does not know of them stays.
  for (const name of ["input", "output"]) body[name] = structuredClone(start[name] ?? {});
  if (fixed) body.input.turn_detection ??= {};
  else delete body.input.turn_detection;
  for (const one of controls) {
    if (one.group === "turns" && !fixed) continue;
    put(body, one.param, valueOf(one));
  }
  return body;
}

/** @param {import("./agent_controls.js").Control} one */
function valueOf(one) {
  try {
    return one.read();
  } catch (error) {
    if (error instanceof Wrong) throw Object.assign(error, { param: one.param });
    throw error;
  }
}

/**
 * @param {any} agent
 * @param {Record<string, any>} before
 * @param {Record<string, any>} after
 */
function sent(agent, before, after) {
  if (!agent) return api("/v1/agents", { method: "POST", body: after });
  return api(`/v1/agents/${encodeURIComponent(agent.id)}`, { method: "PUT", body: changes(before, after) });
}

/**
 * @param {unknown} error
 * @param {import("./agent_controls.js").Control[]} controls
 * @param {HTMLElement} problem
 * @param {HTMLElement} form
 */
function refused(error, controls, problem, form) {
  const faults =
    error instanceof ApiError
      ? error.faults.length ? error.faults : [{ message: error.message, param: error.param }]
      : error instanceof Wrong
        ? [{ message: error.message, param: /** @type {any} */ (error).param }]
        : [];
  /** @type {import("./agent_controls.js").Control[]} */
  const wrong = [];
  for (const { message, param } of faults) {
    const found = param ? owner(controls, param) : undefined;
    if (!found) continue;
    // Of a list or an object it is said which part it is.
    found.fault(param === found.param ? message : `${param}: ${message}`);
    wrong.push(found);
  }
  if (!wrong.length) {
    fill(problem, failed(error));
    return;
  }
  fill(problem, h("div", { class: "notice bad", role: "alert" }, icon("warning"), h("p", null, wrong.length === 1 ? "One field cannot be like this." : `${wrong.length} fields cannot be like this.`)));
  wrong[0]?.element.closest("details")?.setAttribute("open", "");
  wrong[0]?.focus();
  announce(`${faults[0]?.message} ${form.querySelectorAll("[aria-invalid]").length} fields to correct`);
}

/**
 * The control of the longest path that the fault's path begins with.
 *
 * @param {import("./agent_controls.js").Control[]} controls
 * @param {string} param
 */
function owner(controls, param) {
  const under = (/** @type {string} */ path, /** @type {string} */ above) => path === above || (path.startsWith(above) && ".[".includes(path.charAt(above.length)));
  const inside = controls.filter((one) => under(param, one.param)).sort((a, b) => b.param.length - a.param.length);
  return inside[0] ?? controls.find((one) => under(one.param, param));
}

/**
 * @param {typeof GROUPS[number]} group
 * @param {(import("./agent_controls.js").Control & {group: string})[]} controls
 * @param {HTMLInputElement} windows
 */
function section(group, controls, windows) {
  const fields = h("div", { class: "fields" }, controls.filter((one) => one.group === group.id).map((one) => one.element));
  if (group.id !== "turns") {
    return h("details", { class: "card", open: group.open ?? false }, h("summary", null, h("h2", { class: "inline" }, group.title)), fields);
  }
  const shows = () => (fields.hidden = !windows.checked);
  windows.addEventListener("change", shows);
  shows();
  return h(
    "details",
    { class: "card" },
    h("summary", null, h("h2", { class: "inline" }, group.title)),
    h("div", { class: "stack" }, h("label", { class: "choice" }, windows, "Fixed windows of silence"), h("p", { class: "hint soft small" }, "Without this the server decides by itself when the user has finished, which is recommended."), fields),
  );
}

/** @param {any} agent */
function actions(agent) {
  return [
    h("a", { class: "button", href: `/?agent=${encodeURIComponent(agent.id)}` }, icon("microphone"), "Try in the playground"),
    h("button", { type: "button", class: "button danger", onclick: () => void remove(agent) }, icon("trash"), "Delete"),
  ];
}

/** @param {any} agent */
function about(agent) {
  return h("p", { class: "soft small row" }, h("button", { type: "button", class: "plain", onclick: () => void copy(agent.id) }, h("code", null, agent.id), h("span", { class: "visually-hidden" }, ": copy")), `Created ${date(agent.created_at)}, changed ${date(agent.updated_at)}`);
}

/** @param {any} agent */
async function remove(agent) {
  const sure = await confirmed({ title: "Delete this agent?", says: `Clients that name “${seen(agent.name)}” are refused from then on. Calls that go on stay as they are.`, does: "Delete the agent", danger: true });
  if (!sure) return;
  try {
    await api(`/v1/agents/${encodeURIComponent(agent.id)}`, { method: "DELETE" });
    toast("The agent is deleted");
    await go("/console/agents");
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), 10_000);
  }
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<[string, string][]>}
 */
async function voicesOf(signal) {
  try {
    const { voices } = await api("/v1/voices", { signal });
    return voices.map((/** @type {any} */ one) => [one.id, one.language ? `${one.name} (${one.language})` : one.name]);
  } catch (error) {
    if (signal.aborted) throw error;
    const known = /** @type {string[]} */ (me()?.defaults?.voices ?? []);
    return known.map((one) => [one, one]);
  }
}
