"""The page's style sheet: by day and by night, as the reader's system asks; for print, too."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --card: #f6f7f9; --ink: #16191d; --soft: #5b6470; --line: #dfe3e8;
  --truth: #e7c65a; --now: #5b6470; --best: #17803d; --faint: .55;
  --c1: #2a6fdb; --c2: #d4570a; --c3: #17803d; --c4: #b3278a;
  --c5: #6d4fc2; --c6: #0b7f92; --c7: #8a6d00; --c8: #6b7280;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171c; --card: #1d2128; --ink: #e9ecf0; --soft: #a2abb7; --line: #333a44;
    --truth: #c9a227; --now: #a2abb7; --best: #57d28a; --faint: .4;
    --c1: #71a7ff; --c2: #ff9a57; --c3: #57d28a; --c4: #f58ad0;
    --c5: #b8a2ff; --c6: #53cfe0; --c7: #e0c14a; --c8: #a9b1bd;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1120px; padding: 32px 24px 64px; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
}
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 40px 0 8px; }
p { margin: 4px 0; }
.soft { color: var(--soft); overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; }
.tiles { margin: 24px 0 0; }
.tile { background: var(--card); border-radius: 8px; padding: 12px 16px; }
.tile b { display: block; font-size: 24px; font-weight: 600; line-height: 1.3; }
.scroll { overflow-x: auto; }
.tall { max-height: 480px; overflow: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
table { font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 8px; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 500; white-space: nowrap; }
.tall th { position: sticky; top: 0; background: var(--page); }
td { white-space: nowrap; unicode-bidi: isolate; }
td:first-child { max-width: 360px; overflow: hidden; text-overflow: ellipsis; }
.right { text-align: right; }
.plot { overflow-x: auto; margin: 8px 0; }
svg { display: block; width: 100%; min-width: 640px; height: auto; }
svg text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--ink); }
svg .tick { fill: var(--soft); font-size: 11px; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .bound { stroke-dasharray: 6 4; }
svg .now { stroke: var(--now); stroke-dasharray: 4 4; }
svg .best { stroke: var(--best); stroke-dasharray: 2 3; }
.truth { fill: var(--truth); background: var(--truth); opacity: var(--faint); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--soft); font-size: 13px; }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 3px; }
.swatch { margin-right: 6px; vertical-align: -1px; }
@media print {
  body { max-width: none; padding: 0; }
  .tall { max-height: none; overflow: visible; }
}
""" + "\n".join(
    f".mark.c{n}, .dot.c{n} {{ fill: var(--c{n}); }} .line.c{n} {{ stroke: var(--c{n}); }}"
    f" .swatch.c{n} {{ background: var(--c{n}); }}"
    for n in range(1, 9)
)
