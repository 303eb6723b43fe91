import { VoiceAgent } from "/antiphon/src/index.js";

const button = document.querySelector("#talk");
const state = document.querySelector("#state");
const transcript = document.querySelector("#transcript");

let agent = null;

/** Our own server says where the agent is, and mints a token for it. */
async function invitation() {
  const answer = await fetch("/token");
  if (!answer.ok) throw new Error(`no token: HTTP ${answer.status}`);
  return answer.json();
}

async function start() {
  const { url } = await invitation();
  agent = new VoiceAgent({
    url,
    getToken: invitation,
    session: { system_prompt: "You are a concierge. Be brief.", greeting: "Good evening!" },
    tools: {
      current_time: { description: "The time of day.", run: () => new Date().toTimeString() },
    },
  });
  agent.addEventListener("state", ({ detail }) => show(detail));
  agent.addEventListener("failed", ({ detail }) => add("Something went wrong", detail.message));
  agent.addEventListener("transcript.user", ({ detail }) => add("You", detail.text));
  agent.addEventListener("transcript.agent", ({ detail }) => add("Agent", detail.text));
  await agent.start();
}

function show(now) {
  state.textContent = now;
  button.textContent = now === "ended" ? "Talk" : "Hang up";
  if (now === "ended") agent = null;
}

function add(who, text) {
  const item = document.createElement("li");
  item.textContent = `${who}: ${text}`;
  transcript.append(item);
}

button.addEventListener("click", async () => {
  if (agent) return agent.stop();
  try {
    await start();
  } catch (error) {
    add("Something went wrong", error.message);
    agent = null;
  }
});
