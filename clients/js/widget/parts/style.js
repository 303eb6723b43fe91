/**
 * How the talk button looks. A page may say otherwise with these properties on the element, with
 * `color-scheme`, and with `::part(box | button | mute | status | transcript | line)`.
 */
export const STYLE = `
:host {
  --_accent: var(--antiphon-accent, light-dark(#0b5c8a, #7cc0ec));
  --_on-accent: var(--antiphon-on-accent, light-dark(#ffffff, #0c1a24));
  --_surface: var(--antiphon-surface, light-dark(#ffffff, #1c1f25));
  --_ink: var(--antiphon-ink, light-dark(#1d1c1a, #eceae5));
  --_ink-soft: var(--antiphon-ink-soft, light-dark(#5a574f, #aeb1b8));
  --_line: var(--antiphon-line, light-dark(#dedbd3, #343942));
  --_user: var(--antiphon-user, light-dark(#0b6e78, #5cc3cd));
  --_agent: var(--antiphon-agent, light-dark(#7a3e9d, #c99be8));
  --_bad: var(--antiphon-bad, light-dark(#a82323, #f39a92));
  --_font: var(--antiphon-font, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif);
  color-scheme: light dark;
  display: inline-block;
  max-width: 100%;
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; margin: 0; }
[hidden] { display: none !important; }
.box { color: var(--_ink); font: 1rem/1.5 var(--_font); max-width: 24rem; }
.row { align-items: center; display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; }
button {
  border: 1px solid transparent;
  border-radius: 999px;
  cursor: pointer;
  font: inherit;
  min-height: 3rem;
  -webkit-tap-highlight-color: transparent;
}
button:focus-visible { outline: 3px solid var(--_accent); outline-offset: 3px; }
.talk {
  align-items: center;
  background: var(--_accent);
  color: var(--_on-accent);
  display: inline-flex;
  font-weight: 600;
  gap: 0.5rem;
  padding: 0 1.25rem 0 1rem;
  position: relative;
  transition: background-color 120ms;
}
.talk:hover { background: color-mix(in srgb, var(--_accent) 88%, var(--_ink)); }
.talk[aria-pressed="true"] {
  background: var(--_surface);
  border-color: var(--_line);
  color: var(--_ink);
}
.ring {
  border: 3px solid var(--_ring, transparent);
  border-radius: inherit;
  inset: calc(-2px - 5px * var(--level, 0));
  opacity: calc(0.35 + 0.65 * var(--level, 0));
  pointer-events: none;
  position: absolute;
  transition: inset 60ms linear, opacity 60ms linear;
}
[data-state="connecting"] .ring { --_ring: var(--_ink-soft); animation: wait 1.2s infinite; }
[data-state="listening"] .ring { --_ring: var(--_user); }
[data-state="speaking"] .ring { --_ring: var(--_agent); }
@keyframes wait { 50% { opacity: 0.9; } }
svg {
  fill: none;
  height: 1.25rem;
  stroke: currentColor;
  stroke-linecap: round;
  stroke-linejoin: round;
  stroke-width: 1.8;
  width: 1.25rem;
}
.mute {
  align-items: center;
  background: var(--_surface);
  border-color: var(--_line);
  color: var(--_ink);
  display: inline-flex;
  justify-content: center;
  width: 3rem;
}
.mute .stroke { visibility: hidden; }
.mute[aria-pressed="true"] { color: var(--_bad); }
.mute[aria-pressed="true"] .stroke { visibility: visible; }
.status { color: var(--_ink-soft); font-size: 0.9375rem; }
[data-state="speaking"] .status { color: var(--_agent); }
[data-state="listening"] .status { color: var(--_user); }
[data-state="error"] .status { color: var(--_bad); }
.lines {
  background: var(--_surface);
  border: 1px solid var(--_line);
  border-radius: 1rem;
  margin-top: 0.75rem;
  max-height: 16rem;
  overflow: auto;
  overflow-wrap: anywhere;
  padding: 0.75rem 1rem;
}
.line + .line { margin-top: 0.5rem; }
.line b { display: block; font-size: 0.8125rem; }
.line span { unicode-bidi: isolate; white-space: pre-wrap; }
.line.user b { color: var(--_user); }
.line.agent b { color: var(--_agent); }
.line.partial span { color: var(--_ink-soft); }
@media (prefers-reduced-motion: reduce) {
  .ring { animation: none !important; inset: -4px; opacity: 1; transition: none; }
  .talk { transition: none; }
}
@media (forced-colors: active) {
  .talk, .mute { border-color: ButtonText; }
}
`;
