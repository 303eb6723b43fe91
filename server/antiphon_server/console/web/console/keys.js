/** The API keys of the server: made, shown once, revoked. */

import { api, ApiError } from "../shared/api.js";
import { announce, copy, fill, h, icon, toast } from "../shared/dom.js";
import { date, exactDate, NOTHING, seen } from "../shared/format.js";
import { confirmed, opened } from "./dialog.js";
import { head, into, nothing } from "./load.js";
import { table } from "./table.js";
import { when } from "./when.js";

/** What a key may be for, in words. @type {Record<string, string>} */
const SCOPES = {
  calls: "Make calls",
  agents: "Read and change agents",
  sessions: "Read and delete calls",
  webhooks: "Read and change webhooks",
  usage: "Read usage",
  operator: "Look after the server: keys and providers",
};
const DAY = 86_400;

/** @type {import("./router.js").Page["show"]} */
export async function keysPage({ main, signal }) {
  const list = h("div");
  const load = () =>
    into(list, {
      signal,
      ...(list.childElementCount ? {} : { shape: "rows" }),
      work: () => api("/v1/console/keys", { signal }),
      draw: ({ keys }) => fill(list, keys.length ? lines(keys, load) : nothing("key", "No keys yet", h("p", null, "Keys of the settings are not listed; they have all scopes but that of the operator."))),
    });
  // Asked before anything is shown: whoever may not see keys is told so by the page around this.
  const first = await api("/v1/console/keys", { signal });
  fill(main, head("Keys", h("button", { type: "button", class: "button primary", onclick: () => void create(load) }, icon("plus"), "New key")), h("p", { class: "soft" }, "Keys of the whole server. What a key is can be seen once, when it is made."), list);
  fill(list, first.keys.length ? lines(first.keys, load) : nothing("key", "No keys yet", h("p", null, "Make one for each program and person that uses this server.")));
}

/**
 * @param {any[]} keys
 * @param {() => Promise<void>} load
 */
function lines(keys, load) {
  return table({
    caption: "API keys",
    rows: keys,
    sorted: { by: "Created", down: true },
    columns: [
      { name: "Name", cell: (row) => [h("bdi", { class: "said strong" }, seen(row.name)), h("code", { class: "small soft block" }, row.id)], by: (row) => row.name },
      { name: "Account", cell: (row) => h("bdi", { class: "said" }, seen(row.account)), by: (row) => row.account },
      { name: "May", cell: may, class: "wide scopes" },
      { name: "State", cell: state, by: (row) => (row.revoked_at ? 2 : over(row) ? 1 : 0) },
      { name: "Created", cell: (row) => when(row.created_at), by: (row) => row.created_at, class: "tight" },
      { name: "Last used", cell: (row) => (row.last_used_at ? when(row.last_used_at) : "Never"), by: (row) => row.last_used_at ?? "", class: "tight" },
      {
        name: "Revoke",
        cell: (row) =>
          row.revoked_at
            ? NOTHING
            : h("button", { type: "button", class: "button danger small", "aria-label": `Revoke ${row.name}`, onclick: () => void revoke(row, load) }, "Revoke"),
      },
    ],
  });
}

/** @param {any} key */
function may(key) {
  const limits = [
    key.max_sessions !== null && `${key.max_sessions} calls at once`,
    key.sessions_per_minute !== null && `${key.sessions_per_minute} calls a minute`,
    key.origins.length && `from ${key.origins.join(", ")}`,
  ].filter(Boolean);
  return [
    h("span", { class: "row tight" }, key.scopes.map((/** @type {string} */ one) => h("span", { class: "badge plain", title: SCOPES[one] ?? null }, one))),
    limits.length ? h("span", { class: "small soft said block" }, limits.join("; ")) : null,
  ];
}

/** @param {any} key */
const over = (key) => Boolean(key.expires_at) && new Date(key.expires_at).getTime() <= Date.now();

/** @param {any} key */
function state(key) {
  if (key.revoked_at) return h("span", { class: "badge bad", title: exactDate(key.revoked_at) }, "Revoked");
  if (over(key)) return h("span", { class: "badge warn", title: exactDate(key.expires_at) }, "Expired");
  return h("span", { class: "badge good", title: key.expires_at ? exactDate(key.expires_at) : null }, key.expires_at ? `Until ${date(key.expires_at)}` : "Good");
}

/**
 * @param {any} key
 * @param {() => Promise<void>} load
 */
async function revoke(key, load) {
  const sure = await confirmed({ title: `Revoke “${seen(key.name)}”?`, says: "Programs that use it are refused within seconds; calls that go on stay. A revoked key cannot be made good again.", does: "Revoke", danger: true });
  if (!sure) return;
  try {
    await api(`/v1/console/keys/${encodeURIComponent(key.id)}`, { method: "DELETE" });
    announce("The key is revoked");
    toast("The key is revoked");
    await load();
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), 10_000);
  }
}

/** @param {() => Promise<void>} load */
async function create(load) {
  const form = h("form", { class: "stack", novalidate: true });
  const name = h("input", { type: "text", name: "name", required: true, maxlength: "200", autofocus: true });
  const wrong = h("p", { class: "error field-error", role: "alert" });
  const account = h("input", { type: "text", name: "account", value: "default" });
  const days = h("input", { type: "number", name: "days", min: "1", placeholder: "never" });
  const sessions = h("input", { type: "number", name: "max_sessions", min: "1", placeholder: "as the server has it" });
  const rate = h("input", { type: "number", name: "sessions_per_minute", min: "1", placeholder: "as the server has it" });
  const origins = h("input", { type: "text", name: "origins", placeholder: "https://www.example.com" });
  const submit = h("button", { type: "submit", class: "button primary" }, "Create");
  const cancel = h("button", { type: "button", class: "button" }, "Cancel");
  fill(
    form,
    h("h2", { id: "dialog-title" }, "New key"),
    labelled("Name", name, "Who or what uses it."),
    h("fieldset", { class: "stack tight" }, h("legend", null, "May"), Object.entries(SCOPES).map(([scope, says]) => h("label", { class: "choice" }, h("input", { type: "checkbox", name: "scopes", value: scope, checked: scope !== "operator" }), h("span", null, h("strong", null, scope), h("span", { class: "soft" }, ` ${says}`))))),
    h("details", null, h("summary", null, "Account and limits"), h("div", { class: "fields" }, labelled("Account", account, "Keys of one account see the same calls and agents."), labelled("Good for, in days", days), labelled("Calls at once", sessions), labelled("Calls a minute", rate), labelled("Origins", origins, "Pages that may use it, with spaces between; empty: all."))),
    wrong,
    h("div", { class: "row end" }, cancel, submit),
  );
  cancel.addEventListener("click", () => form.closest("dialog")?.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.textContent = "";
    submit.disabled = true;
    const count = (/** @type {HTMLInputElement} */ input) => (input.value ? Number(input.value) : null);
    try {
      const made = await api("/v1/console/keys", {
        method: "POST",
        body: {
          name: name.value.trim(),
          account: account.value.trim() || "default",
          scopes: new FormData(form).getAll("scopes"),
          origins: origins.value.split(/[\s,]+/).filter(Boolean),
          max_sessions: count(sessions),
          sessions_per_minute: count(rate),
          expires_in_seconds: days.value ? Number(days.value) * DAY : null,
        },
      });
      once(form, made);
      void load();
    } catch (error) {
      const field = error instanceof ApiError && error.param ? form.querySelector(`[name="${CSS.escape(error.param.replace(/\[.*|expires_in_seconds/, (part) => (part.startsWith("[") ? "" : "days")))}"]`) : null;
      field?.setAttribute("aria-invalid", "true");
      field?.closest("details")?.setAttribute("open", "");
      wrong.textContent = error instanceof Error ? error.message : String(error);
      if (field instanceof HTMLElement) field.focus();
    } finally {
      submit.disabled = false;
    }
  });
  await opened(form);
}

/**
 * @param {HTMLElement} form
 * @param {{key: string, created: any}} made
 */
function once(form, { key, created }) {
  const shown = h("input", { type: "text", class: "code", readonly: true, value: key, "aria-label": "The key" });
  const done = h("button", { type: "button", class: "button primary", onclick: () => form.closest("dialog")?.close() }, "I have kept it");
  fill(
    form,
    h("h2", { id: "dialog-title" }, "The key is made"),
    h("div", { class: "notice warn" }, icon("warning"), h("p", null, "It is shown this once: the server keeps no copy that could be read. Put it where secrets are kept.")),
    h("p", { class: "soft small" }, h("bdi", { class: "said" }, seen(created.name))),
    h("div", { class: "row nowrap" }, shown, h("button", { type: "button", class: "button", onclick: () => void copy(key, "The key is copied") }, icon("copy"), "Copy")),
    h("div", { class: "row end" }, done),
  );
  shown.select();
  announce("The key is made. It is shown this once.");
}

/**
 * @param {string} name
 * @param {HTMLElement} control
 * @param {string} [says]
 */
function labelled(name, control, says) {
  return h("label", { class: "field" }, h("span", { class: "label" }, name), control, says && h("span", { class: "hint" }, says));
}
