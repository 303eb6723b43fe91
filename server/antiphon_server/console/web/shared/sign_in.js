/** The panel that asks for a key, on pages of a server that has keys. */

import { signIn } from "./api.js";
import { h, icon } from "./dom.js";

/**
 * @param {object} options
 * @param {string} options.why what the key is for, in a sentence
 * @param {() => void} options.signedIn
 * @returns {HTMLElement}
 */
export function signInPanel({ why, signedIn }) {
  const key = h("input", {
    id: "api-key",
    type: "password",
    class: "code",
    name: "key",
    autocomplete: "current-password",
    spellcheck: "false",
    required: true,
    "aria-describedby": "api-key-hint api-key-error",
  });
  const wrong = h("p", { id: "api-key-error", class: "error", role: "alert" });
  const button = h("button", { class: "button primary", type: "submit" }, icon("key"), "Sign in");
  const form = h(
    "form",
    { class: "card stack", "aria-labelledby": "sign-in-title" },
    h("h1", { id: "sign-in-title" }, "Sign in"),
    h("p", { class: "soft" }, why),
    h(
      "div",
      { class: "field" },
      h("label", { for: "api-key" }, "API key"),
      key,
      h(
        "p",
        { id: "api-key-hint", class: "hint" },
        "On the server, ",
        h("code", null, 'antiphon keys create --name "Me"'),
        " makes one. It stays in a cookie that no script can read, for twelve hours.",
      ),
      wrong,
    ),
    h("div", { class: "row" }, button),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.textContent = "";
    button.disabled = true;
    try {
      await signIn(key.value);
      signedIn();
    } catch (error) {
      wrong.textContent = error instanceof Error ? error.message : String(error);
      key.setAttribute("aria-invalid", "true");
      key.select();
    } finally {
      button.disabled = false;
    }
  });
  return form;
}
