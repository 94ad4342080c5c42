/** The one style sheet; its digest is in the Content-Security-Policy, so nothing else is obeyed. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #eef1f5; --card: #ffffff; --ink: #16202c; --soft: #51606f; --line: #d5dce4;
  --accent: #1b5fb8; --accent-ink: #ffffff; --quiet: #f3f5f8; --warn: #fff6dd; --warn-ink: #624600; --warn-line: #e6c667;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10151b; --card: #1a222b; --ink: #e9eef4; --soft: #a5b3c1; --line: #33404d;
    --accent: #7fb4ff; --accent-ink: #0b1a2c; --quiet: #232d38; --warn: #33290d; --warn-ink: #f5dc95; --warn-line: #6d5714;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 24px 16px; min-height: 100vh; display: flex; align-items: center; justify-content: center;
  background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main {
  width: 100%; max-width: 480px; padding: 32px; background: var(--card); border: 1px solid var(--line);
  border-radius: 16px; box-shadow: 0 8px 32px rgb(0 0 0 / 8%); overflow-wrap: anywhere;
}
.brand { display: flex; align-items: center; gap: 12px; margin: 0 0 20px; color: var(--soft); font-weight: 600; }
.badge {
  flex: none; min-width: 40px; height: 40px; padding: 0 8px; display: grid; place-items: center; border-radius: 12px;
  background: var(--accent); color: var(--accent-ink); font-weight: 700; letter-spacing: .02em;
}
h1 { margin: 0 0 12px; font-size: 24px; line-height: 1.25; }
p { margin: 0 0 16px; }
.soft { color: var(--soft); font-size: 14px; }
dl { margin: 20px 0; border: 1px solid var(--line); border-radius: 12px; }
dl div { padding: 12px 16px; }
dl div + div { border-top: 1px solid var(--line); }
dt { color: var(--soft); font-size: 13px; }
dd { margin: 2px 0 0; font-weight: 600; }
dd .soft { font-weight: 400; }
ol { margin: 0 0 16px; padding: 0; list-style: none; border: 1px solid var(--line); border-radius: 12px; }
ol li { padding: 10px 16px; font-size: 15px; }
ol li + li { border-top: 1px solid var(--line); }
ul { margin: 4px 0 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 6px; }
ul li { padding: 2px 10px; background: var(--quiet); border: 1px solid var(--line); border-radius: 14px; font-size: 14px; }
.warn {
  padding: 12px 16px; background: var(--warn); color: var(--warn-ink); border: 1px solid var(--warn-line);
  border-radius: 12px; font-size: 14px;
}
.actions { display: flex; flex-wrap: wrap; gap: 12px; margin: 24px 0 0; }
button, .button {
  flex: 1 1 140px; min-height: 48px; padding: 11px 20px; border: 1px solid var(--line); border-radius: 12px;
  background: var(--quiet); color: var(--ink); font: inherit; font-weight: 600; text-align: center;
  text-decoration: none; cursor: pointer;
}
.primary { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); }
button:hover, .button:hover { filter: brightness(.96); }
.link {
  flex: 1 1 100%; order: 3; min-height: 44px; background: none; border-color: transparent; color: var(--accent);
  text-decoration: underline; font-weight: 500;
}
a { color: var(--accent); }
a.primary { color: var(--accent-ink); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
details { border: 1px solid var(--line); border-radius: 12px; margin: 0 0 8px; }
summary { padding: 12px 16px; font-weight: 600; cursor: pointer; }
details p { margin: 0 16px 12px; font-size: 15px; }
.copy { display: flex; gap: 8px; align-items: stretch; margin: 0 0 16px; }
details .copy { margin: 0 16px 16px; }
.copy pre {
  flex: 1; min-width: 0; margin: 0; padding: 11px 12px; background: var(--quiet);
  white-space: pre-wrap; overflow-wrap: anywhere;
  border: 1px solid var(--line); border-radius: 12px;
}
.copy button { flex: none; align-self: flex-start; padding: 9px 14px; font-size: 14px; }
[hidden] { display: none; }
#said:empty { display: none; }
code { font: 14px/1.4 ui-monospace, "SF Mono", Consolas, monospace; }
@media (max-width: 480px) {
  body { padding: 0; align-items: stretch; background: var(--card); }
  main { padding: 24px 20px; border: 0; border-radius: 0; box-shadow: none; }
}
@media (forced-colors: active) { button, .button, main, dl { border: 1px solid; } }
`;
