/** The console: what is around its pages, and who may come in. */

import { access, api, ApiError, signOut } from "../shared/api.js";
import { announce, byId, fill, h, icon } from "../shared/dom.js";
import { signInPanel } from "../shared/sign_in.js";
import { themeButton } from "../shared/theme.js";
import { agentPage, newAgentPage } from "./agent_form.js";
import { agentsPage } from "./agents.js";
import { callPage } from "./call.js";
import { keysPage } from "./keys.js";
import { livePage } from "./live.js";
import { failed, head, shown } from "./load.js";
import { confirmed, opened } from "./dialog.js";
import { overviewPage } from "./overview.js";
import { providersPage } from "./providers.js";
import { guard, isUnsaved, startRouter } from "./router.js";
import { sessionsPage } from "./sessions.js";
import { drawSide, mark } from "./side.js";
import { me, setMe } from "./me.js";
import { usagePage } from "./usage.js";

/** @type {import("./router.js").Page[]} */
const PAGES = [
  { path: /^\/console\/?$/, title: "Overview", scope: "sessions", show: overviewPage },
  { path: /^\/console\/live\/?$/, title: "Live", scope: "sessions", show: livePage },
  { path: /^\/console\/sessions\/?$/, title: "Sessions", scope: "sessions", show: sessionsPage },
  { path: /^\/console\/sessions\/([^/]+)\/?$/, title: "Session", scope: "sessions", show: callPage },
  { path: /^\/console\/agents\/?$/, title: "Agents", scope: "agents", show: agentsPage },
  { path: /^\/console\/agents\/new\/?$/, title: "New agent", scope: "agents", show: newAgentPage },
  { path: /^\/console\/agents\/([^/]+)\/?$/, title: "Agent", scope: "agents", show: agentPage },
  { path: /^\/console\/providers\/?$/, title: "Providers", scope: "operator", show: providersPage },
  { path: /^\/console\/usage\/?$/, title: "Usage", scope: "usage", show: usagePage },
  { path: /^\/console\/keys\/?$/, title: "Keys", scope: "operator", show: keysPage },
];

const main = byId("main");
let visiting = new AbortController();

startRouter(arrive, () =>
  confirmed({
    title: "Leave without saving?",
    says: "What you changed on this page is not saved.",
    does: "Leave",
    danger: true,
  }),
);
access.addEventListener("signed-out", () => {
  if (document.querySelector("#api-key")) return;
  if (isUnsaved()) void signInBeside();
  else signIn();
});
void arrive(new URL(location.href));

/** @param {URL} url */
async function arrive(url) {
  visiting.abort();
  visiting = new AbortController();
  const { signal } = visiting;
  guard(null);
  if (!me() && !(await known(signal))) return;
  if (signal.aborted) return;
  const page = PAGES.find((one) => one.path.test(url.pathname));
  drawSide({ url, leave });
  document.title = `${page?.title ?? "Not found"} · Antiphon`;
  fill(main);
  if (!page) {
    notFound();
  } else if (!mayUse(page)) {
    missingScope(page);
  } else {
    await open(page, url, signal);
  }
  if (!signal.aborted && document.activeElement === document.body) main.focus({ preventScroll: true });
}

/**
 * @param {import("./router.js").Page} page
 * @param {URL} url
 * @param {AbortSignal} signal
 */
async function open(page, url, signal) {
  const parts = (page.path.exec(url.pathname) ?? []).slice(1).map(decoded);
  const title = (/** @type {string} */ name) => {
    if (!signal.aborted) document.title = `${name} · Antiphon`;
  };
  announce(page.title);
  try {
    await page.show({ url, parts, signal, main, title, guard });
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof ApiError)) console.error(error);
    // Signing in is shown instead, and comes back here.
    if (error instanceof ApiError && error.status === 401) return;
    if (error instanceof ApiError && error.status === 403 && page.scope === "operator") return missingScope(page);
    fill(main, head(page.title), failed(error, () => void arrive(url)));
  }
}

/**
 * Asks who is asking; shows what there is to do where that is not known.
 *
 * @param {AbortSignal} signal
 */
async function known(signal) {
  const ready = shown(main, "page");
  try {
    setMe(await api("/v1/console/me", { signal }));
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    if (!(error instanceof ApiError) || error.status !== 401) {
      const again = () => void arrive(new URL(location.href));
      fill(main, h("h1", null, "Console"), failed(error, again));
    }
    return false;
  } finally {
    ready();
  }
}

function signIn() {
  setMe(null);
  visiting.abort();
  drawSide({ url: new URL(location.href), leave });
  document.title = "Sign in · Antiphon";
  const panel = signInPanel({
    why: "The console shows what was said in calls, so it wants a key of this server.",
    signedIn: () => void arrive(new URL(location.href)),
  });
  fill(main, h("div", { class: "sign-in" }, h("div", { class: "row spread" }, h("p", { class: "brand large" }, mark(), "Antiphon"), themeButton()), panel));
  main.querySelector("input")?.focus();
}

/** Over the page, which keeps what was written on it. */
async function signInBeside() {
  const panel = signInPanel({
    why: "You are signed out. What you wrote is still here: sign in, and save it then.",
    signedIn: () => panel.closest("dialog")?.close(),
  });
  await opened(panel, "sign-in-title");
}

async function leave() {
  try {
    await signOut();
  } finally {
    signIn();
    announce("Signed out");
  }
}

/** @param {import("./router.js").Page} page */
function mayUse(page) {
  const known = me();
  // Without keys, what a page may do depends on where the request comes from: the server says.
  return !known || known.development || !page.scope || known.scopes.includes(page.scope);
}

/** @param {import("./router.js").Page} page */
function missingScope(page) {
  const known = me();
  const has = known?.scopes.length ? `It has ${known.scopes.join(", ")}.` : "";
  fill(
    main,
    head(page.title),
    h(
      "div",
      { class: "card empty" },
      icon("key"),
      h("h2", null, `This needs the scope “${page.scope}”`),
      known?.development
        ? h("p", null, "This server has no keys, so nobody is its operator. Create a key with this scope, and sign in with it:")
        : h("p", null, `The key you signed in with does not have it. ${has} Sign in with one that does:`),
      h("p", null, h("code", null, `antiphon keys create --name "Console" --scope ${page.scope}`)),
      !known?.development && h("button", { class: "button", type: "button", onclick: () => void leave() }, "Use another key"),
    ),
  );
}

function notFound() {
  fill(
    main,
    head("There is no such page"),
    h(
      "div",
      { class: "card empty" },
      icon("search"),
      h("p", null, "The link may be of another version of the server, or mistyped."),
      h("a", { class: "button", href: "/console" }, "To the overview"),
    ),
  );
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
