/**
 * The REST API as the pages use it. The key is in a cookie that no script can read; the header
 * below is what a page of another site could not send, so the cookie alone opens nothing.
 */

const OURS = { "X-Antiphon-Console": "1" };

/** What the API refused, in its own words. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 where no answer came
   * @param {{code?: string, message?: string, param?: string | null, request_id?: string,
   *   errors?: {message: string, param: string | null}[] | null}} told the body of the answer
   * @param {number | null} retryAfter seconds
   */
  constructor(status, told, retryAfter = null) {
    super(told.message || `The server answered ${status} and said no more.`);
    this.name = "ApiError";
    this.status = status;
    this.code = told.code ?? "";
    /** The field that is wrong, where one is. */
    this.param = told.param ?? null;
    /** Everything that is wrong, field by field, where it is more than one thing. */
    this.faults = told.errors ?? [];
    this.requestId = told.request_id ?? "";
    this.retryAfter = retryAfter;
  }
}

/** Tells, as `signed-out` on this, that the server wants a key. */
export const access = new EventTarget();

/**
 * @typedef {object} Asked
 * @property {string} [method]
 * @property {unknown} [body] sent as JSON
 * @property {Record<string, unknown>} [query] null, undefined and "" are left out
 * @property {AbortSignal} [signal]
 * @property {number} [milliseconds] the longest wait for an answer
 */

/**
 * Asks, and gives the JSON of the answer; null where it has none.
 *
 * Rejects with `ApiError`, or with the `AbortError` of `signal`.
 *
 * @template [T=any]
 * @param {string} path
 * @param {Asked} [asked]
 * @returns {Promise<T>}
 */
export async function api(path, asked = {}) {
  const response = await send(path, asked);
  if (response.status === 204) return /** @type {any} */ (null);
  const text = await response.text();
  try {
    return JSON.parse(text || "null");
  } catch {
    throw new ApiError(response.status, { message: "The server's answer was cut off. Try again." });
  }
}

/**
 * Asks, and gives the whole answer once it is no refusal.
 *
 * @param {string} path
 * @param {Asked} [asked]
 * @returns {Promise<Response>}
 */
export async function send(path, { method = "GET", body, query, signal, milliseconds = 20_000 } = {}) {
  const limit = AbortSignal.timeout(milliseconds);
  /** @type {Response} */
  let response;
  try {
    response = await fetch(path + search(query), {
      method,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      credentials: "same-origin",
      headers: body === undefined ? OURS : { ...OURS, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, {
      code: "no_answer",
      message: limit.aborted
        ? "The server took too long to answer. Try again; its log says why."
        : "The server cannot be reached. Is it running, and is the network there?",
    });
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

/**
 * Signs in with an API key; rejects with `ApiError` where it is not good.
 *
 * @param {string} key
 */
export async function signIn(key) {
  await api("/console/session", { method: "POST", body: { key: key.trim() } });
}

/** Forgets the key. */
export async function signOut() {
  await api("/console/session", { method: "DELETE" });
}

/**
 * @param {Record<string, unknown> | undefined} query
 * @returns {string}
 */
function search(query) {
  const said = Object.entries(query ?? {}).filter(
    ([, value]) => value !== null && value !== undefined && value !== "",
  );
  return said.length ? `?${new URLSearchParams(said.map(([name, value]) => [name, String(value)]))}` : "";
}

/**
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
async function refusal(response) {
  /** @type {any} */
  let told = {};
  try {
    told = await response.json();
  } catch {
    // Something before the server answered, such as a proxy: the status has to do.
  }
  // `GET /v1/token` has errors of a shape of its own.
  if (typeof told.error === "string") told.message ??= told.error;
  if (typeof told.detail === "string") told.message ??= told.detail;
  told.request_id ??= response.headers.get("x-request-id");
  const wait = Number(response.headers.get("retry-after"));
  const error = new ApiError(response.status, told, Number.isFinite(wait) && wait > 0 ? wait : null);
  if (response.status === 401) access.dispatchEvent(new Event("signed-out"));
  return error;
}
