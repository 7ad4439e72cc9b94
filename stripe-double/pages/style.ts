/** The page's style: system fonts, light and dark by media query, cards below 640 pixels. */
export const style = `
:root { color-scheme: light dark; --back: #f6f7f9; --card: #fff; --ink: #16191d; --soft: #5b6470;
  --line: #dfe3e8; --accent: #4b45c6; --button: #4b45c6; --good: #0b6b3a; --good-back: #dff5e8; --bad: #a3171d;
  --bad-back: #fde5e5; --open: #7a4b00; --open-back: #fdf0d5; }
@media (prefers-color-scheme: dark) { :root { --back: #101317; --card: #181c22; --ink: #e8ebef;
  --soft: #a0aab6; --line: #2b323b; --accent: #a9a5ff; --good: #7fe0a8; --good-back: #12331f;
  --bad: #ff9d9d; --bad-back: #401819; --open: #f5c66d; --open-back: #3a2a0a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; }
header, main, footer { max-width: 1240px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 8px; }
a { color: var(--accent); }
h2 { font-size: 1.05rem; margin: 0; padding: 14px 16px 10px; }
.lead { color: var(--soft); margin: 0 0 18px; max-width: 70ch; }
.count { color: var(--soft); font-weight: 400; font-size: 0.85rem; margin-left: 4px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px;
  margin: 0 0 16px; }
.figures div, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.figures div { padding: 12px 16px; }
.figures dt { color: var(--soft); font-size: 0.8rem; }
.figures dd { margin: 0; font-size: 1.05rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.figures dd small { display: block; font-size: 0.75rem; font-weight: 400; color: var(--soft); }
section { margin: 0 0 16px; overflow: hidden; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(460px, 100%), 1fr));
  gap: 0 16px; align-items: start; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.88rem; }
th, td { text-align: left; padding: 7px 16px; border-top: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 500; font-size: 0.8rem; white-space: nowrap; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font: 0.92em ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', monospace;
  overflow-wrap: anywhere; }
time { white-space: nowrap; font-variant-numeric: tabular-nums; }
.empty { margin: 0; padding: 4px 16px 16px; color: var(--soft); }
.badge { display: inline-block; padding: 0 8px; border-radius: 999px; font-size: 0.8rem;
  font-weight: 600; white-space: nowrap; }
.good { color: var(--good); background: var(--good-back); }
.bad { color: var(--bad); background: var(--bad-back); }
.open { color: var(--open); background: var(--open-back); }
footer { color: var(--soft); font-size: 0.85rem; padding-bottom: 32px; }
.hosted { max-width: 520px; margin: 0 auto; padding: 28px 20px; }
.hosted section { padding: 16px 20px 20px; }
.hosted .total { display: flex; justify-content: space-between; gap: 12px; font-weight: 600;
  border-top: 1px solid var(--line); padding-top: 12px; margin: 12px 0; }
.hosted .row { display: flex; justify-content: space-between; gap: 12px; margin: 6px 0; }
.hosted form { display: flex; flex-wrap: wrap; gap: 10px; margin-top: 14px; }
.hosted label { flex: 1 1 100%; color: var(--soft); font-size: 0.85rem; }
.hosted select, .hosted button { font: inherit; color: var(--ink); background: var(--back);
  border: 1px solid var(--line); border-radius: 8px; padding: 8px 12px; }
.hosted select { width: 100%; margin-top: 4px; }
.hosted button { flex: 1; font-weight: 600; cursor: pointer; }
.hosted button.primary { background: var(--button); border-color: var(--button); color: #fff; }
.hosted .alert { color: var(--bad); background: var(--bad-back); border-radius: 8px;
  padding: 8px 12px; }
@media (max-width: 640px) {
  header, main, footer { padding-left: 12px; padding-right: 12px; }
  .figures { grid-template-columns: 1fr 1fr; gap: 8px; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { display: block; border-top: 1px solid var(--line); padding: 8px 0; }
  td, td.number { display: grid; grid-template-columns: 7.5rem minmax(0, 1fr); gap: 8px; border: 0;
    padding: 2px 16px; text-align: left; white-space: normal; }
  td::before { content: attr(data-label); color: var(--soft); }
}
`;
