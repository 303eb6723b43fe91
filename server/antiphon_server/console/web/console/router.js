/**
 * Pages by path. Links are real ones, so that they can be opened elsewhere and shared; those that
 * lead to the console itself do not load it again.
 */

/**
 * @typedef {object} Visit
 * @property {URL} url
 * @property {string[]} parts what the path's pattern caught
 * @property {AbortSignal} signal aborted when the page is left
 * @property {HTMLElement} main where the page goes
 * @property {(title: string) => void} title names the page in the window's title
 * @property {(changed: (() => boolean) | null) => void} guard asks before leaving what is unsaved
 */

/**
 * @typedef {object} Page
 * @property {RegExp} path
 * @property {string} title
 * @property {string} [scope] that a key needs for it
 * @property {(visit: Visit) => void | Promise<void>} show
 */

/** @type {(url: URL) => Promise<void>} */
let arrive = async () => {};
/** @type {(() => boolean) | null} */
let unsaved = null;
/** @type {() => Promise<boolean>} */
let mayLose = async () => true;
/** Where the page is, as far as the console has followed. */
let here = new URL(location.href);

/** Whether something on the page would be lost with it. */
export const isUnsaved = () => Boolean(unsaved?.());

/** @param {(() => boolean) | null} changed */
export function guard(changed) {
  unsaved = changed;
}

/**
 * @param {(url: URL) => Promise<void>} arrived shows the page of an address
 * @param {() => Promise<boolean>} ask whether what is unsaved may be lost
 */
export function startRouter(arrived, ask) {
  arrive = arrived;
  mayLose = ask;
  history.scrollRestoration = "manual";
  document.addEventListener("click", (event) => {
    const url = ours(event);
    if (!url) return;
    event.preventDefault();
    void go(url);
  });
  window.addEventListener("popstate", () => void wentBack());
  window.addEventListener("beforeunload", (event) => {
    if (unsaved?.()) event.preventDefault();
  });
  window.addEventListener("scrollend", remember);
}

/**
 * Goes to a page of the console.
 *
 * @param {string | URL} to
 * @param {{replace?: boolean}} [how]
 */
export async function go(to, { replace = false } = {}) {
  const url = new URL(to, location.href);
  if (!replace && !(await mayLeave())) return;
  remember();
  if (replace) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  here = url;
  if (!replace) window.scrollTo(0, 0);
  await arrive(url);
}

/**
 * Writes into the address what the page shows, without going anywhere.
 *
 * @param {URL} url
 */
export function note(url) {
  history.replaceState(history.state, "", url);
  here = url;
}

async function wentBack() {
  const url = new URL(location.href);
  const samePage = url.pathname === here.pathname && url.search === here.search;
  if (samePage) {
    here = url;
    return;
  }
  if (unsaved?.()) {
    // The browser has gone already: stay, and go again if that is wanted.
    history.pushState(null, "", here);
    if (!(await mayLeave())) return;
    history.replaceState(null, "", url);
  }
  here = url;
  const y = Number(history.state?.y ?? 0);
  await arrive(url);
  if (!url.hash || y) window.scrollTo(0, y);
}

async function mayLeave() {
  if (!unsaved?.()) return true;
  if (!(await mayLose())) return false;
  unsaved = null;
  return true;
}

function remember() {
  history.replaceState({ ...history.state, y: window.scrollY }, "");
}

/**
 * The address of a plain click on a link to the console; null for what the browser does itself.
 *
 * @param {MouseEvent} event
 * @returns {URL | null}
 */
function ours(event) {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return null;
  const url = new URL(link.href);
  if (url.origin !== location.origin || !/^\/console(\/|$)/.test(url.pathname)) return null;
  const onThisPage = url.pathname === location.pathname && url.search === location.search;
  return onThisPage && url.hash ? null : url;
}
