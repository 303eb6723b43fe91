/** The playground: one page, one call at a time. */

import { access, signOut } from "../shared/api.js";
import { byId, fill, h, mark } from "../shared/dom.js";
import { signInPanel } from "../shared/sign_in.js";
import { themeButton } from "../shared/theme.js";
import { CallView } from "./call_view.js";
import { codeDialog, messagesDrawer, placeSettings } from "./overlays.js";
import { agents, voices, whoAmI } from "./server.js";
import { load, save, wrongs } from "./settings.js";
import { SettingsForm } from "./settings_form.js";
import { barButton } from "./bar.js";
import { settingsPanel } from "./settings_panel.js";

/** @typedef {import("./server.js").Me} Me */

async function main() {
  const settings = load(localStorage);
  const asked = new URLSearchParams(location.search).get("agent");
  if (asked !== null) settings.agentId = asked;

  const brand = byId("brand", HTMLElement);
  fill(brand, mark(), h("span", { class: "brand-name" }, "Antiphon"));
  brand.setAttribute("aria-label", "Antiphon, the playground");

  const { log, open: openLog } = messagesDrawer();
  const panel = settingsPanel();
  const form = new SettingsForm(panel.fields, settings, () => {
    save(localStorage, settings);
    tellAddress(settings.agentId);
    form.tellWrongs(wrongs(settings));
    panel.tellChange(view.changeOf(settings, form.tools));
    view.refresh();
  });
  const view = new CallView({
    settings,
    tools: () => form.tools,
    log,
    microphones: (found) => form.offer({ microphones: found }),
    changed: () => panel.tellChange(view.changeOf(settings, form.tools)),
    signIn: () => askForKey(),
  });
  panel.onapply = () => view.apply();
  const openSettings = placeSettings(panel.element);
  const openCode = codeDialog(() => ({ settings, tools: form.tools }));
  fill(
    byId("bar-tools", HTMLElement),
    barButton("settings", "Settings", openSettings, "only-narrow"),
    barButton("list", "Messages", openLog),
    barButton("code", "Code", openCode),
    themeButton(),
  );

  const askForKey = () => {
    const place = byId("sign-in", HTMLElement);
    // A wrong key is refused with the same status as none.
    if (!place.hidden) return;
    view.close();
    const enter = async () => {
      place.hidden = true;
      place.replaceChildren();
      await meet();
    };
    place.hidden = false;
    fill(
      place,
      signInPanel({
        why: "This server has API keys. Sign in with yours to talk to its agents.",
        signedIn: () => void enter(),
      }),
    );
    place.querySelector("input")?.focus();
  };
  access.addEventListener("signed-out", askForKey);

  const meet = async () => {
    const me = await view.meet(whoAmI());
    if (!me) return askForKey();
    showSignOut(me);
    const [known, spoken] = await Promise.allSettled([agents(), voices()]);
    form.offer({
      ...(known.status === "fulfilled" ? { agents: known.value } : {}),
      ...(spoken.status === "fulfilled" ? { voices: spoken.value } : {}),
    });
  };
  await meet();
}

/**
 * The address says which agent is called, so that it can be passed on.
 *
 * @param {string} agentId
 */
function tellAddress(agentId) {
  const address = new URL(location.href);
  if (agentId) address.searchParams.set("agent", agentId);
  else address.searchParams.delete("agent");
  history.replaceState(null, "", address);
}

/**
 * Who came with a key may leave; where there are no keys there is nothing to leave.
 *
 * @param {Me} me
 */
function showSignOut(me) {
  const place = byId("bar-tools", HTMLElement);
  if (me.development || place.querySelector(".sign-out")) return;
  const leave = async () => {
    await signOut().catch(() => {});
    location.reload();
  };
  place.append(barButton("out", "Sign out", () => void leave(), "sign-out"));
}

void main();
