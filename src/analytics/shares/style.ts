import { readFileSync } from 'node:fs';

/** The dashboard's own colours, sizes and letters, so that a shared page is the same house (ui.md §2). */
const tokens = new URL('../../../web/src/styles/tokens.css', import.meta.url);

/** The sheet of every shared page; read once, at the start. */
export function shareStyle(): string {
  return readFileSync(tokens, 'utf8') + own;
}

const own = `
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: var(--t-13); font-variant-numeric: tabular-nums; -webkit-font-smoothing: antialiased; }
h1, h2, p, dl, dd, dt { margin: 0; padding: 0; font: inherit; }
a { color: inherit; text-decoration: none; }
b { font-weight: 600; }
svg { display: block; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: var(--r-1); }
.q { color: var(--ink-3); }
.num { text-align: right; }

.bar { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 8px 16px; min-height: var(--bar-h); padding: 8px 24px; border-bottom: 1px solid var(--line); }
.who { display: flex; align-items: center; gap: 8px; min-width: 0; }
.who h1 { font: var(--t-16); font-weight: 600; letter-spacing: -0.005em; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; min-width: 0; }
.who p { color: var(--ink-3); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; min-width: 0; }
.tile { width: 20px; height: 20px; flex: none; border-radius: 5px; background: var(--accent); color: var(--on-accent); display: grid; place-items: center; font: 600 0.6875rem/1 var(--sans); }
.seg { display: inline-flex; gap: 1px; padding: 2px; border-radius: var(--r-2); background: var(--n-3); max-width: 100%; overflow-x: auto; scrollbar-width: none; }
.seg a { display: flex; align-items: center; height: 28px; padding: 0 10px; border-radius: var(--r-1); color: var(--ink-2); font-weight: 500; white-space: nowrap; flex: none; }
.seg a:hover { color: var(--ink); }
.seg a:focus-visible { outline-offset: -2px; }
.seg a[aria-current] { background: var(--surface); color: var(--ink); box-shadow: var(--shadow-1); }
.facts { display: flex; justify-content: space-between; gap: 16px; max-width: 1440px; margin: 0 auto; padding: 12px 24px 0; font: var(--t-12); color: var(--ink-3); }
main { display: block; max-width: 1440px; margin: 0 auto; padding: 12px 24px 24px; }
.note { padding: 10px 16px; margin-bottom: 16px; border: 1px solid var(--line); border-radius: var(--r-3); background: var(--surface); color: var(--ink-2); }
.note b { color: var(--ink); }
.foot { max-width: 1440px; margin: 0 auto; padding: 0 24px 32px; font: var(--t-12); color: var(--ink-3); overflow-wrap: anywhere; }
.foot p + p { margin-top: 4px; max-width: 120ch; }
main.alone + .foot { text-align: center; }
main.alone + .foot p { margin-inline: auto; }

.panel { display: flex; flex-direction: column; min-width: 0; background: var(--surface); border: 1px solid var(--line); border-radius: var(--r-3); }
.panel > header { display: flex; align-items: center; height: 44px; padding: 0 16px; }
.panel > header h2 { font-weight: 600; }
.panel > footer { display: flex; align-items: center; min-height: 36px; margin-top: auto; padding: 0 16px; font: var(--t-12); color: var(--ink-3); }
.none { padding: 4px 16px 16px; color: var(--ink-3); }
.lists { display: grid; grid-template-columns: repeat(12, minmax(0, 1fr)); gap: 16px; margin-top: 16px; }
.lists .panel { grid-column: span 6; padding-bottom: 8px; }
.lists .panel:last-child:nth-child(odd) { grid-column: span 12; }
.lists .panel:has(> footer) { padding-bottom: 0; }

.ks { display: grid; grid-template-columns: repeat(var(--tiles, 5), minmax(0, 1fr)); }
.ks + .ch { border-top: 1px solid var(--line); }
.ks.n2 { --tiles: 2; }
.ks.n7 { --tiles: 7; }
.k { min-width: 0; padding: 12px 16px 11px; border-left: 1px solid var(--line); }
.k:first-child { border-left: 0; }
.k dt { font: var(--t-12); color: var(--ink-2); }
.kv { margin: 2px 0; font: var(--t-20); font-weight: 600; letter-spacing: -0.015em; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.dl { display: flex; align-items: center; gap: 4px; font: var(--t-12); color: var(--ink-2); white-space: nowrap; }
.dl svg { fill: var(--n-6); flex: none; }
.dl svg.pos { fill: var(--ok-solid); }
.dl svg.neg { fill: var(--bad-solid); }

.ch { padding: 4px 16px 8px; }
.leg { display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 8px 0 4px; font: var(--t-12); color: var(--ink-2); }
.leg span { display: inline-flex; align-items: center; gap: 8px; white-space: nowrap; }
.sw { width: 16px; height: 0; border-top: 2px solid var(--accent); }
.sw.p { border-top: 1.5px dashed var(--c-before); }
.chart { display: flex; }
.chart .axis { flex: none; width: 40px; }
.chart .plot { flex: 1; min-width: 0; overflow: visible; }
.chart text { font: var(--t-11); fill: var(--ink-3); }
.grid-line { stroke: var(--line); }
.area { fill: var(--accent); opacity: 0.07; }
.line, .before { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.before { stroke: var(--c-before); stroke-width: 1.5; stroke-dasharray: 3 3; }
.stem { stroke: var(--accent); stroke-width: 2; stroke-linecap: round; stroke-dasharray: 0.1 5; }
.dot { fill: var(--accent); }
.dot-so-far { fill: var(--surface); stroke: var(--accent); stroke-width: 2; }
.pt rect { fill: transparent; }
.pt line { stroke: var(--ink-3); visibility: hidden; }
.pt circle { fill: var(--accent); stroke: var(--surface); stroke-width: 2; visibility: hidden; }
.pt:hover line, .pt:hover circle { visibility: visible; }
.data { margin: 4px 0 4px; font: var(--t-12); }
.data summary { width: max-content; padding: 6px 0; color: var(--ink-3); cursor: pointer; }
.data summary:hover { color: var(--ink); }
.data .scroll { max-height: 280px; overflow: auto; margin: 4px -16px 0; border-top: 1px solid var(--line); }

table { border-collapse: collapse; width: 100%; font: var(--t-13); }
th { font-weight: 400; text-align: left; }
thead th { font: var(--t-12); font-weight: 500; color: var(--ink-3); height: 28px; padding: 0 8px; white-space: nowrap; }
tbody th, td { height: var(--row); padding: 0 8px; white-space: nowrap; }
th:first-child { padding-left: 16px; }
th:last-child, td:last-child { padding-right: 16px; }
.bars thead th:first-child { padding-left: 24px; }
.bars thead .num { width: 68px; min-width: 68px; }
.bars tbody th { position: relative; max-width: 0; width: 100%; padding-left: 24px; }
.bars tbody th span { position: relative; display: block; overflow: hidden; text-overflow: ellipsis; }
.bars tbody th .path { display: flex; }
.bars tbody th .path > span { min-width: 1.5em; }
.bars tbody th .path > .tail { flex: none; direction: rtl; min-width: 0; max-width: calc(100% - 1.5em); }
.bars .b { position: absolute; left: 16px; top: 2px; width: calc(100% - 16px); height: 28px; }
.bars .b rect { fill: var(--bar); }

.alone { display: grid; place-items: center; min-height: 80vh; }
.hush { align-items: center; text-align: center; gap: 8px; padding: 40px 32px; max-width: 480px; color: var(--ink-2); }
.hush h1 { font: var(--t-16); font-weight: 600; color: var(--ink); }
.ask { width: 100%; max-width: 400px; padding: 24px; gap: 16px; align-items: stretch; }
.ask h1 { font: var(--t-20); font-weight: 600; letter-spacing: -0.015em; }
.ask > p { color: var(--ink-2); margin-top: -8px; }
.ask > p.q { font: var(--t-12); color: var(--ink-3); margin-top: 0; }
.field { display: grid; gap: 6px; }
.field label { font-weight: 500; }
.in { height: 36px; width: 100%; padding: 0 10px; border: 1px solid var(--control); border-radius: var(--r-2); background: var(--surface); color: var(--ink); font: var(--t-14); }
.in:focus-visible { outline-offset: -1px; }
.error { color: var(--bad-text); }
.btn { height: 36px; padding: 0 14px; border: 0; border-radius: var(--r-2); background: var(--accent); color: var(--on-accent); font: var(--t-13); font-weight: 500; cursor: pointer; justify-self: start; align-self: flex-start; }
.btn:hover { background: var(--accent-hover); }

.in-frame body { background: transparent; }
.in-frame .alone { display: block; max-width: none; min-height: 0; padding: 0; }
.in-frame .hush { justify-content: center; height: 100vh; max-width: none; padding: 16px; overflow: hidden; }
.widget { display: flex; flex-direction: column; height: 100vh; max-width: none; padding: 0; background: var(--surface); border: 1px solid var(--line); border-radius: var(--r-3); overflow: hidden; }
.widget > header { display: flex; align-items: baseline; justify-content: space-between; gap: 12px; padding: 10px 16px 4px; }
.widget h1 { font-weight: 600; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.widget header p, .widget footer { font: var(--t-12); color: var(--ink-3); white-space: nowrap; }
.widget footer { margin-top: auto; padding: 6px 16px 8px; overflow: hidden; text-overflow: ellipsis; flex: none; }
.widget .ks { grid-template-columns: repeat(3, minmax(0, 1fr)); }
.widget .k { border: 0; padding: 6px 0 6px 16px; }
.widget .k:nth-child(n + 4) { display: none; }
.widget .ks + .ch { border-top: 0; }

@media (max-width: 1100px) {
  .lists .panel { grid-column: span 12; }
}
@media (min-width: 641px) and (max-width: 1100px) {
  .ks.n7 { --tiles: 4; }
  .ks.n7 .k:nth-child(n + 5) { border-top: 1px solid var(--line); }
  .ks.n7 .k:nth-child(5) { border-left: 0; }
  .ks.n7 .k:last-child { grid-column: span 2; }
}
@media (max-width: 640px) {
  .bar { padding: 8px 12px; }
  .who { width: 100%; }
  .who h1 { flex: none; max-width: 100%; }
  .seg { width: 100%; }
  .seg a { height: 40px; flex: 1 0 auto; justify-content: center; }
  .facts { padding: 12px 12px 0; }
  main { padding: 12px; }
  .foot { padding: 0 12px 24px; }
  .totals .ks { --tiles: 2; }
  .totals .k:nth-child(odd) { border-left: 0; }
  .totals .k:nth-child(n + 3) { border-top: 1px solid var(--line); }
  .totals .k:last-child:nth-child(odd) { grid-column: span 2; }
  .chart .wide { display: none; }
  .bars .wide { display: none; }
  .data summary { padding: 12px 0; }
  .in { height: 44px; font-size: 1rem; }
  .btn { height: 44px; }
  main.widget { padding: 0; }
}
@media (forced-colors: active) {
  .line { stroke: CanvasText; }
  .bars .b rect { fill: Canvas; stroke: CanvasText; }
}
`;
