/** The style of `/docs`: system fonts, light and dark by media query, nothing wider than the screen. */
export const docsStyle = `
:root { color-scheme: light dark; --back: #f6f7f9; --card: #fff; --ink: #16191d; --soft: #5b6470;
  --line: #dfe3e8; --accent: #4b45c6; --good: #0b6b3a; --bad: #a3171d; }
@media (prefers-color-scheme: dark) { :root { --back: #101317; --card: #181c22; --ink: #e8ebef;
  --soft: #a0aab6; --line: #2b323b; --accent: #a9a5ff; --good: #7fe0a8; --bad: #ff9d9d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); overflow-wrap: anywhere;
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; }
header, main { max-width: 860px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 1.2rem; margin: 28px 0 0; }
h3 { font-size: 1rem; margin: 0; }
p { margin: 0 0 8px; max-width: 75ch; }
a { color: var(--accent); }
code { font: 0.9em/1.5 ui-monospace, 'DejaVu Sans Mono', monospace; }
article, .shapes { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 14px 16px; margin: 12px 0; }
.method { color: var(--accent); font-size: 0.85em; }
.what { margin: 4px 0 8px; font-weight: 600; }
.soft, .type, caption, dt { color: var(--soft); }
.type { font-size: 0.85rem; }
dl { display: grid; grid-template-columns: 64px 1fr; gap: 4px 12px; margin: 8px 0; }
.shapes { grid-template-columns: 110px 1fr; }
dd { margin: 0; min-width: 0; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding: 4px 0; }
th, td { border-top: 1px solid var(--line); padding: 6px 0; text-align: left; vertical-align: top; }
th { width: 64px; }
.status { font-variant-numeric: tabular-nums; }
.good { color: var(--good); }
.bad { color: var(--bad); }
@media (max-width: 520px) { header, main { padding-left: 12px; padding-right: 12px; }
  dl, .shapes { grid-template-columns: 1fr; gap: 2px; } th { width: 48px; } }
`;
