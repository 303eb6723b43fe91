// What the playground decides without a page, told by `node --test`; run by test_playground_parts.py.

import assert from "node:assert/strict";
import { test } from "node:test";

const WEB = new URL("../../server/antiphon_server/console/web/", import.meta.url);
const load = (name) => import(new URL(`playground/${name}.js`, WEB).href);

const settings = { ...(await load("settings")), ...(await load("session_of")) };
const { readTools, EXAMPLE } = await load("tools");
const phase = await load("phase");
const { problemOf, problemOfReply } = await load("problems");
const { tame, unheard } = await load("said");
const { settingsOf } = await load("stored_agent");
const { javascriptOf } = await load("code_javascript");

const stored = (value) => ({ getItem: () => value });

test("what was never set is not sent: an untouched page asks for prompt and greeting alone", () => {
  assert.deepEqual(Object.keys(settings.toSession(settings.defaults(), [])), [
    "system_prompt",
    "greeting",
  ]);
});

test("a stored agent is named alone, as the protocol wants it", () => {
  const chosen = { ...settings.defaults(), agentId: "agent_1", voice: "paul" };
  assert.deepEqual(settings.toSession(chosen, [{ name: "f" }]), { agent_id: "agent_1" });
});

test("every setting that is made reaches the session under the protocol's name", () => {
  const made = {
    ...settings.defaults(),
    mode: "type_read",
    voice: "paul",
    volume: 80,
    keyterms: " Antiphon \n\nFlite",
    languageCodes: "en, es",
    transcriptionMode: "min_latency",
    transcriptionPrompt: "Orders.",
    voiceFocus: "near-field",
    voiceFocusThreshold: 0.4,
    turns: "fixed",
    fixed: {
      vadThreshold: 0.6,
      minSilence: 400,
      maxSilence: 900,
      interruptResponse: false,
      interruptionDelay: 100,
      uninterruptibleTurns: ["greeting"],
    },
  };
  const { input, output } = settings.toSession(made, []);
  assert.deepEqual(input, {
    type: "text",
    keyterms: ["Antiphon", "Flite"],
    language_codes: ["en", "es"],
    transcription_mode: "min_latency",
    transcription_prompt: "Orders.",
    voice_focus: "near-field",
    voice_focus_threshold: 0.4,
    turn_detection: {
      vad_threshold: 0.6,
      min_silence: 400,
      max_silence: 900,
      interrupt_response: false,
      interruption_delay: 100,
      uninterruptible_turns: ["greeting"],
    },
  });
  assert.deepEqual(output, { type: "text", voice: "paul", volume: 80 });
});

test("fixed windows with nothing else said are the server's own: an empty object", () => {
  const made = { ...settings.defaults(), turns: "fixed" };
  assert.deepEqual(settings.toSession(made, []).input, { turn_detection: {} });
});

test("what was kept comes back, and what is broken or of another type is the default", () => {
  const kept = new Map();
  const made = {
    ...settings.defaults(),
    voice: "paul",
    volume: 40,
    answers: { f: { how: "code", code: "1" } },
  };
  settings.save({ setItem: (name, value) => kept.set(name, value) }, made);
  assert.deepEqual(settings.load({ getItem: (name) => kept.get(name) ?? null }), made);
  for (const broken of [
    "{",
    "null",
    "7",
    "[]",
    '{"voice": 7, "volume": "x", "fixed": null, "answers": {"f": 1}}',
  ]) {
    assert.deepEqual(settings.load(stored(broken)), settings.defaults(), broken);
  }
});

test("a browser that keeps nothing changes nothing", () => {
  settings.save(
    {
      setItem: () => {
        throw new Error("full");
      },
    },
    settings.defaults(),
  );
});

test("a change is told apart: what the call takes now, and what the next one has", () => {
  const before = settings.defaults();
  const after = {
    ...before,
    systemPrompt: "Be brief.",
    voice: "paul",
    keyterms: "Flite",
    turns: "fixed",
    volume: 50,
  };
  const { update, needsNewCall } = settings.change(before, after, [], [{ name: "f" }]);
  assert.deepEqual(needsNewCall, ["voice"]);
  assert.deepEqual(update, {
    system_prompt: "Be brief.",
    tools: [{ name: "f" }],
    input: {
      keyterms: ["Flite"],
      turn_detection: {
        vad_threshold: null,
        min_silence: null,
        max_silence: null,
        interrupt_response: true,
        interruption_delay: null,
        uninterruptible_turns: [],
      },
    },
    output: { volume: 50 },
  });
});

test("a setting that is taken back is sent as null, which stands for the default", () => {
  const before = {
    ...settings.defaults(),
    keyterms: "Flite",
    turns: "fixed",
    transcriptionMode: "balanced",
  };
  const { update } = settings.change(before, settings.defaults(), [], []);
  assert.deepEqual(update.input, {
    keyterms: null,
    transcription_mode: null,
    turn_detection: null,
  });
});

test("a stored agent becomes settings that make the same session", () => {
  const agent = {
    system_prompt: "P",
    greeting: null,
    voice: { voice_id: "paul" },
    input: { keyterms: ["a", "b"], turn_detection: { min_silence: 400 }, language_codes: ["en"] },
    output: { volume: 80 },
    tools: [
      {
        id: "tool_1",
        name: "f",
        description: "d",
        parameters: { type: "object" },
        timeout_seconds: 9,
        execution_mode: "hold",
        http: null,
      },
    ],
  };
  const made = settingsOf(agent, { ...settings.defaults(), agentId: "agent_1", mode: "type_read" });
  assert.equal(made.mode, "type_read");
  const { tools, problems } = readTools(made.tools);
  assert.deepEqual(problems, []);
  assert.deepEqual(settings.toSession({ ...made, mode: "speak" }, tools), {
    system_prompt: "P",
    input: { keyterms: ["a", "b"], language_codes: ["en"], turn_detection: { min_silence: 400 } },
    output: { voice: "paul", volume: 80 },
    tools: [
      {
        type: "function",
        name: "f",
        description: "d",
        parameters: { type: "object" },
        timeout_seconds: 9,
        execution_mode: "hold",
      },
    ],
  });
});

test("no change is no update", () => {
  const same = settings.defaults();
  assert.deepEqual(settings.change(same, structuredClone(same), [], []), {
    update: null,
    needsNewCall: [],
  });
});

test("what the server would refuse is said beside its field", () => {
  const wrong = {
    ...settings.defaults(),
    keyterms: Array.from({ length: 101 }, (_, one) => `word${one}`).join("\n"),
    transcriptionPrompt: "x".repeat(1751),
    turns: "fixed",
    fixed: { ...settings.defaults().fixed, maxSilence: 900 },
  };
  assert.deepEqual(Object.keys(settings.wrongs(wrong)), [
    "keyterms",
    "transcriptionPrompt",
    "maxSilence",
  ]);
  assert.deepEqual(settings.wrongs(settings.defaults()), {});
});

test("tools are read from a list, from one tool, and from the shape of chat completions", () => {
  const flat = [{ type: "function", name: "f", description: "d", parameters: { type: "object" } }];
  assert.deepEqual(readTools(JSON.stringify(flat)), { tools: flat, problems: [] });
  assert.deepEqual(readTools(JSON.stringify(flat[0])).tools, flat);
  const { type, ...inner } = flat[0];
  assert.deepEqual(readTools(JSON.stringify({ tools: [{ type, function: inner }] })).tools, flat);
  assert.deepEqual(readTools("  "), { tools: [], problems: [] });
  assert.deepEqual(readTools(EXAMPLE).problems, []);
});

const WRONG = [
  ["[{", /not JSON yet/],
  ["{\n  x}", /line 2, column 3/],
  ["7", /list of tools/],
  ["[7]", /Tool 1 has to be an object/],
  ['[{"description": "d"}]', /Tool 1 has no "name"/],
  ['[{"name": "f"}, {"name": "f"}]', /Two tools are called "f"/],
  ['[{"name": "f", "parameters": []}]', /JSON Schema object/],
  ['[{"name": "f", "parameters": {"type": "string"}}]', /has to be "object"/],
  ['[{"name": "f", "parameters": {"properties": []}}]', /"properties" has to be an object/],
  ['[{"name": "f", "parameters": {"required": ["x"]}}]', /"required" names "x"/],
  ['[{"name": "f", "parameters": {"required": "x"}}]', /"required" has to be a list/],
  ['[{"name": "f", "timeout_seconds": 301}]', /from 1 to 300/],
  ['[{"name": "f", "execution_mode": "later"}]', /"interactive" or "hold"/],
  ['[{"name": "f", "description": 7}]', /"description" has to be text/],
  [JSON.stringify([{ name: "f", parameters: { title: "x".repeat(33_000) } }]), /32768 bytes/],
  [
    JSON.stringify(Array.from({ length: 65 }, (_, one) => ({ name: `f${one}` }))),
    /At most 64 tools/,
  ],
];
for (const [text, expected] of WRONG) {
  test(`a list of tools that cannot be used is told why: ${String(expected)}`, () => {
    const { tools, problems } = readTools(text);
    assert.deepEqual(tools, []);
    assert.match(problems.join("\n"), expected);
  });
}

const after = (...messages) =>
  messages.reduce(
    (now, one) => phase.next(now, typeof one === "string" ? { type: one } : one),
    phase.IDLE,
  ).name;
const ready = ["dialled", "session.ready"];
const reply = [...ready, { type: "reply.started", reply_id: "r" }];

test("the state says what the call does, from the dial to the goodbye", () => {
  assert.equal(after("dialled"), "connecting");
  assert.equal(after(...ready), "listening");
  assert.equal(after(...ready, "input.speech.started"), "hearing");
  assert.equal(after(...ready, "input.speech.started", "input.speech.stopped"), "thinking");
  assert.equal(after(...reply), "thinking");
  assert.equal(after(...reply, { type: "reply.audio", reply_id: "r" }), "speaking");
  assert.equal(
    after(...reply, { type: "reply.audio", reply_id: "r" }, { type: "reply.done", reply_id: "r" }),
    "listening",
  );
  assert.equal(after(...reply, "session.ended"), "ended");
  assert.equal(after(...ready, "over"), "ended");
});

test("sound of a reply that is over does not make the agent speak", () => {
  assert.equal(
    after(...reply, { type: "reply.done", reply_id: "r" }, { type: "reply.audio", reply_id: "r" }),
    "listening",
  );
});

test("who interrupts is heard, also when the reply ends after that", () => {
  const cut = [
    { type: "reply.audio", reply_id: "r" },
    "input.speech.started",
    { type: "reply.done", reply_id: "r" },
  ];
  assert.equal(after(...reply, ...cut), "hearing");
});

test("a tool is waited for until its last call is answered", () => {
  const called = [
    ...reply,
    { type: "tool.call", call_id: "a" },
    { type: "tool.call", call_id: "b" },
    { type: "reply.done", reply_id: "r" },
  ];
  assert.equal(after(...called), "waiting");
  assert.equal(after(...called, { type: "answered", call_id: "a" }), "waiting");
  assert.equal(
    after(...called, { type: "answered", call_id: "a" }, { type: "answered", call_id: "b" }),
    "thinking",
  );
});

test("a lost socket counts its attempts, and is forgotten when the call is back", () => {
  const lost = phase.next(
    phase.next(phase.next(phase.IDLE, { type: "dialled" }), { type: "session.ready" }),
    { type: "lost" },
  );
  assert.deepEqual([lost.name, lost.attempt], ["reconnecting", 1]);
  const back = phase.next(lost, { type: "session.ready" });
  assert.deepEqual([back.name, back.attempt], ["listening", 0]);
});

test("what arrives after the end changes nothing", () => {
  assert.equal(after(...ready, "over", { type: "reply.started", reply_id: "r" }, "lost"), "ended");
});

test("every problem has a title and says what to do", () => {
  const errors = [
    { name: "NotAllowedError", message: "Permission denied" },
    { name: "NotFoundError" },
    { code: "no_microphone", message: "x", cause: { name: "NotReadableError" } },
    { code: "token_failed", message: "x", cause: { status: 401, code: "unauthorized" } },
    { code: "at_capacity", message: "full" },
    { code: "connection_lost", message: "gone" },
    { code: "invalid_value", message: "'output.voice' is wrong" },
    { code: "anything_new", message: "Something new." },
    new Error("boom"),
    undefined,
    "text",
  ];
  for (const error of errors) {
    const { title, advice } = problemOf(error);
    assert.ok(title && advice, JSON.stringify(error));
  }
  assert.equal(problemOf({ name: "NotAllowedError" }).offers, "type");
  assert.equal(
    problemOf({ code: "no_microphone", cause: { name: "NotFoundError" } }).offers,
    "type",
  );
  assert.equal(
    problemOf({ code: "token_failed", cause: { code: "unauthorized" } }).offers,
    "sign_in",
  );
  assert.match(
    problemOf({ code: "invalid_value", message: "'output.voice' is wrong" }).advice,
    /output\.voice/,
  );
  assert.equal(
    problemOfReply({ code: "llm_provider_error", message: "503", retryable: true }).how,
    "warn",
  );
});

test("what was not heard is what came beyond the words that were", () => {
  assert.equal(
    unheard("It is on its way, and it will come. ", "It is on its"),
    "way, and it will come.",
  );
  assert.equal(unheard("It is. ", "It is."), "");
  assert.equal(unheard("", "It is."), "");
});

test("marks of direction can be seen, and joiners that scripts need are left alone", () => {
  assert.equal(tame("a\u202eb"), "a⟨U+202E⟩b");
  assert.equal(tame("می\u200cخواهم"), "می\u200cخواهم");
  assert.equal(tame("a\u0000b\nc"), "a⟨U+0000⟩b\nc");
});

test("the JavaScript client has the session, and each tool with a function to write", () => {
  const { tools } = readTools(EXAMPLE);
  const code = javascriptOf(settings.defaults(), tools, "https://voice.example.com");
  assert.match(
    code,
    /import \{ VoiceAgent \} from "https:\/\/voice\.example\.com\/assets\/antiphon\.js"/,
  );
  assert.match(code, /wss:\/\/voice\.example\.com\/v1\/ws/);
  assert.match(code, /"name": "order_status"/);
  assert.match(code, /run: async \(args\)/);
});

test("the text of settings stays text in the code", () => {
  const evil = { ...settings.defaults(), greeting: 'x"; import("evil"); `${1}`\n"""' };
  const code = javascriptOf(evil, [], "https://voice.example.com");
  assert.ok(code.includes(JSON.stringify(evil.greeting)));
});
