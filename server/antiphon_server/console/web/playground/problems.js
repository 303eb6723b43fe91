/** What went wrong, in plain words, with what to do about it. */

/**
 * @typedef {object} Problem
 * @property {"bad" | "warn"} how
 * @property {string} title
 * @property {string} advice
 * @property {"type" | "sign_in" | "again" | null} offers what the page can do about it
 */

/**
 * @param {string} title
 * @param {string} advice
 * @param {Problem["offers"]} [offers]
 * @param {Problem["how"]} [how]
 * @returns {Problem}
 */
const problem = (title, advice, offers = "again", how = "bad") => ({ how, title, advice, offers });

/** Sound that was not asked for by a click. */
export const SILENCED = problem(
  "The browser wants a click before it plays sound",
  "Click anywhere on this page.",
  null,
  "warn",
);

/** By the name of a DOMException of `getUserMedia`. @type {Record<string, Problem>} */
const MICROPHONE = {
  NotAllowedError: problem(
    "The browser may not use the microphone",
    "Allow it in the site settings, beside the address, and press the button again. You can also type.",
    "type",
  ),
  NotFoundError: problem(
    "No microphone was found",
    "Plug one in, or switch it on in the system's settings, and press the button again. You can also type.",
    "type",
  ),
  NotReadableError: problem(
    "The microphone is in use",
    "Another program holds it. Close that, and press the button again. You can also type.",
    "type",
  ),
  OverconstrainedError: problem(
    "The chosen microphone is gone",
    "Choose another one under Settings, This browser.",
    "type",
  ),
};
MICROPHONE.SecurityError = /** @type {Problem} */ (MICROPHONE.NotAllowedError);
MICROPHONE.DevicesNotFoundError = /** @type {Problem} */ (MICROPHONE.NotFoundError);
MICROPHONE.AbortError = /** @type {Problem} */ (MICROPHONE.NotReadableError);

const INSECURE = problem(
  "Browsers give the microphone to secure pages only",
  "Open this page over https, or at localhost on the server's machine. You can also type.",
  "type",
);

/** By the code of a `session.error`, or of the REST API. @type {Record<string, Problem>} */
const CODES = {
  unauthorized: problem(
    "You are not signed in, or no longer",
    "Sign in with an API key of this server.",
    "sign_in",
  ),
  missing_authorization: problem(
    "You are not signed in",
    "Sign in with an API key of this server.",
    "sign_in",
  ),
  forbidden: problem(
    "This key may not make calls",
    "Sign in with a key that has the scope for sessions.",
    "sign_in",
  ),
  at_capacity: problem(
    "The server is full",
    "It has as many calls as it can carry. Wait for one to end, and try again.",
  ),
  concurrency_exceeded: problem(
    "Your account has as many calls as it may have",
    "End another call of this account, in another tab perhaps, and try again.",
  ),
  agent_not_found: problem(
    "That agent is not stored here",
    "It may have been deleted. Choose another one under Settings.",
    null,
  ),
  session_expired: problem(
    "The call reached its longest duration",
    "Begin a new one.",
    "again",
    "warn",
  ),
  session_not_found: problem(
    "The call could not be resumed",
    "The connection was away for too long, and the server let the call go. Begin a new one.",
  ),
  session_forbidden: problem("The call belongs to another account", "Begin a new one."),
  audio_rate_violation: problem(
    "Sound came faster than it can be spoken",
    "The server dropped some of it. A computer that is very busy does this; close what is not needed.",
    null,
    "warn",
  ),
  no_answer: problem(
    "The server cannot be reached",
    "Is it running, and is the network there? Then try again.",
  ),
  llm_provider_error: problem(
    "The language model did not answer",
    "Its provider is away or refuses. The call goes on: say it again. The operator's page tells more.",
    null,
    "warn",
  ),
  tts_provider_error: problem(
    "The voice did not come",
    "The provider of speech is away or refuses. The call goes on: say it again.",
    null,
    "warn",
  ),
  stt_provider_error: problem(
    "You could not be understood",
    "The provider of recognition is away or refuses. The call goes on: say it again.",
    null,
    "warn",
  ),
  internal_error: problem("Something broke in the server", "Its log has the details. Try again."),
  cannot_connect: problem(
    "The server cannot be reached",
    "Is it running, and does a proxy between let WebSockets through? Then try again.",
  ),
  connection_lost: problem(
    "The connection was lost and did not come back",
    "The network or the server went away for too long. Try again.",
  ),
  timed_out: problem(
    "The server did not answer in time",
    "It may be starting, or very busy. Try again.",
  ),
  no_microphone: problem(
    "The microphone cannot be used",
    "Check that one is plugged in and allowed for this page. You can also type.",
    "type",
  ),
  no_sound: problem(
    "The browser cannot play sound",
    "Check that a loudspeaker is there, and that sound is allowed for this page. Or type and read.",
  ),
  invalid_audio: problem("The server could not read the sound", "Reload the page and try again."),
};

/** Codes of the SDK whose cause says more. */
const WRAPPERS = new Set(["no_microphone", "token_failed"]);

/**
 * What to tell of an error: of the microphone, of the API, of the socket.
 *
 * @param {any} error
 * @returns {Problem}
 */
export function problemOf(error) {
  // The SDK wraps what the browser, and what the API said.
  if (WRAPPERS.has(error?.code) && error.cause) return problemOf(error.cause);
  if (!globalThis.isSecureContext && !globalThis.navigator?.mediaDevices && isMicrophone(error))
    return INSECURE;
  const known = MICROPHONE[error?.name] ?? CODES[error?.code];
  if (known) return withWords(known, error);
  if (error?.status === 401) return /** @type {Problem} */ (CODES.unauthorized);
  if (error?.code?.startsWith("invalid_") || error?.code === "immutable_field") {
    return problem("The server refuses these settings", said(error), null);
  }
  return problem("The call could not go on", said(error));
}

/**
 * What to tell of a `reply.error`.
 *
 * @param {{code: string, message: string, retryable: boolean}} told
 * @returns {Problem}
 */
export function problemOfReply(told) {
  const known =
    CODES[told.code] ??
    problem("This reply failed", "The call goes on: say it again.", null, "warn");
  return { ...withWords(known, told), offers: null, how: "warn" };
}

/**
 * @param {Problem} known
 * @param {{message?: string}} error
 * @returns {Problem}
 */
function withWords(known, error) {
  const own = error.message?.trim();
  const tells = own && known.how === "warn" && own.length < 300;
  return tells ? { ...known, advice: `${known.advice} It said: ${own}` } : known;
}

/** @param {any} error */
const isMicrophone = (error) => error?.name === "TypeError" || error?.name in MICROPHONE;

/** @param {any} error */
const said = (error) =>
  error?.message?.trim() || "The server said no more about it. Its log may; try again.";
