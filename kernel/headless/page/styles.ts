/** The page's style sheet: light and dark from the reader's own setting, a measure for reading, and a form for paper. */
export const pageStyles = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1d2025; --quiet: #5b626b; --rule: #e2e4e7; --code: #f6f7f8; --card: #ffffff;
  --accent: #0b5f8a; --error: #b3261e; --error-paper: #fdf1f0; --warn-paper: #fdf7e7; --warn: #7a5200;
  --keyword: #8a2c7c; --string: #1f6b3a; --number: #9a4600; --comment: #646b74; --name: #0b5f8a; --type: #6a4d00;
  --ansi-0: #1d2025; --ansi-1: #b3261e; --ansi-2: #1f7a3d; --ansi-3: #8a5a00; --ansi-4: #1957b0; --ansi-5: #8a2c7c;
  --ansi-6: #006c74; --ansi-7: #5b626b; --ansi-8: #646b74; --ansi-9: #c93a31; --ansi-10: #23803f; --ansi-11: #8f6100;
  --ansi-12: #2f6fd0; --ansi-13: #a03b91; --ansi-14: #007881; --ansi-15: #3c4148;
  --serif: Charter, "Bitstream Charter", "Iowan Old Style", "Source Serif 4", "Noto Serif", Cambria, Georgia, serif;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", "Noto Sans", "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15181c; --ink: #e3e5e8; --quiet: #9aa2ac; --rule: #31363d; --code: #1d2126; --card: #f4f5f6;
    --accent: #7cc0e8; --error: #ff9a8f; --error-paper: #33191a; --warn-paper: #2e2712; --warn: #e8c468;
    --keyword: #e3a1d8; --string: #93d3a5; --number: #f0b27a; --comment: #929aa4; --name: #8ac6ee; --type: #e0c479;
    --ansi-0: #6b737d; --ansi-1: #ff8f85; --ansi-2: #7fcf95; --ansi-3: #e0b95c; --ansi-4: #86b4ff; --ansi-5: #e3a1d8;
    --ansi-6: #6fcbd3; --ansi-7: #c4c9cf; --ansi-8: #929aa4; --ansi-9: #ffada5; --ansi-10: #9be0ad; --ansi-11: #f0cf80;
    --ansi-12: #a8caff; --ansi-13: #efbde7; --ansi-14: #93dde4; --ansi-15: #ffffff;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1.5rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.0625rem/1.62 var(--serif); }
.page { max-width: 59rem; margin: 0 auto; padding: 3.5rem 1.5rem 5rem; }
main { min-width: 0; }
a { color: var(--accent); text-underline-offset: .16em; text-decoration-thickness: .06em; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }

h1, h2, h3, h4, h5, h6 { font-family: var(--sans); line-height: 1.22; letter-spacing: -.012em; text-wrap: balance; margin: 2.1em 0 .6em; }
h1 { font-size: 2.15rem; letter-spacing: -.022em; margin-top: 0; }
h2 { font-size: 1.5rem; } h3 { font-size: 1.2rem; } h4, h5, h6 { font-size: 1.02rem; }
.prose > :first-child { margin-top: 0; }
.prose:has(> h1:first-child, > h2:first-child) { margin-top: 3.2rem; }
.prose:has(> h3:first-child, > h4:first-child) { margin-top: 2.2rem; }
main > .prose:first-child { margin-top: 0; }
.prose > :not(.wide) { max-width: 43rem; }
p, ul, ol, blockquote { margin: 0 0 1em; }
ul, ol { padding-left: 1.5em; } li + li { margin-top: .25em; } li > p { margin-bottom: .4em; }
blockquote { margin-left: 0; padding-left: 1.1em; border-left: 3px solid var(--rule); color: var(--quiet); }
hr { border: 0; border-top: 1px solid var(--rule); margin: 2.5em 0; }
img, svg, video { max-width: 100%; height: auto; }
.prose img { border-radius: 4px; }
code { font: .86em/1.5 var(--mono); background: var(--code); border-radius: 3px; padding: .1em .2em; }
pre { margin: 0; font: .8rem/1.62 var(--mono); white-space: pre; overflow-x: auto; tab-size: 2; }
pre code { font: inherit; background: none; padding: 0; }
.prose pre { background: var(--code); border-radius: 6px; padding: .85em 1em; margin-bottom: 1em; }

table { border-collapse: collapse; font: .88rem/1.45 var(--sans); font-variant-numeric: tabular-nums; margin: 0 0 1em; }
.wide, .html { overflow-x: auto; } .html { font: .9rem/1.5 var(--sans); }
caption { text-align: left; color: var(--quiet); padding: 0 .2em .5em; }
th, td { padding: .42em .9em; text-align: left; border-bottom: 1px solid var(--rule); vertical-align: top; }
thead th { border-bottom: 2px solid var(--quiet); font-weight: 600; }
th:first-child, td:first-child { padding-left: .2em; }

.cell { margin: 0 0 1.35rem; }
.input { position: relative; }
.margin { position: absolute; right: 100%; top: .93rem; margin-right: .85rem; text-align: right; white-space: nowrap; font: .76rem/1.45 var(--mono); color: var(--quiet); }
.margin:has(+ details) { top: .08rem; }
.count { color: inherit; text-decoration: none; } .count:hover { color: var(--accent); }
.took { display: block; font-size: .68rem; }
pre.code { background: var(--code); border: 1px solid var(--rule); border-radius: 6px; padding: .8rem 1rem; }
.outputs { margin-top: .7rem; padding-left: 1rem; border-left: 2px solid var(--rule); display: grid; gap: .7rem; grid-template-columns: minmax(0, 1fr); }
.outputs pre { max-height: 36rem; overflow: auto; }
.outputs .prose > :last-child { margin-bottom: 0; }
.outputs table { margin-bottom: 0; font-size: .82rem; } .outputs th, .outputs td { padding-inline: .5em; }
.outputs img { display: block; background: var(--card); border-radius: 6px; }
@media (prefers-color-scheme: dark) { .outputs img { padding: .5rem; } .outputs .figure img { padding: 0; } }
pre.stderr { background: var(--warn-paper); border-radius: 6px; padding: .6rem .8rem; }
pre.error { background: var(--error-paper); border-left: 3px solid var(--error); border-radius: 0 6px 6px 0; padding: .7rem .9rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.note { color: var(--quiet); font: .88rem/1.45 var(--sans); margin: 0; }
.figure { margin: 0; } .figure .live { min-width: 0; overflow-x: auto; }
.figure.is-live .still { display: none; } .figure:not(.is-live) .live { height: 0; overflow: hidden; }
details > summary { cursor: pointer; color: var(--quiet); font: .82rem/1.6 var(--sans); }
details[open] > summary { margin-bottom: .35rem; }
.banner { background: var(--error-paper); border: 1px solid var(--error); border-radius: 6px; padding: .8rem 1rem; font: .93rem/1.5 var(--sans); margin-bottom: 2rem; overflow-wrap: anywhere; }
footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--quiet); font: .82rem/1.5 var(--sans); }

.contents { font: .88rem/1.4 var(--sans); margin: 0 0 2.5rem; padding: .9rem 1.1rem; border: 1px solid var(--rule); border-radius: 6px; }
.contents h2 { font-size: .74rem; letter-spacing: .07em; text-transform: uppercase; color: var(--quiet); margin: 0 0 .6em; }
.contents ol { list-style: none; padding: 0; margin: 0; }
.contents li { margin: 0 0 .38em; } .contents .depth-1 { padding-left: 1em; }
.contents a { color: var(--ink); text-decoration: none; } .contents .depth-1 a { color: var(--quiet); }
.contents a:hover { color: var(--accent); text-decoration: underline; }
@media (min-width: 80rem) {
  .page { max-width: none; display: grid; grid-template-columns: minmax(12rem, 15rem) minmax(0, 56rem); gap: 5rem; justify-content: center; }
  .page:not(:has(.contents)) { grid-template-columns: minmax(0, 56rem); }
  .contents { position: sticky; top: 2.5rem; align-self: start; max-height: calc(100vh - 5rem); overflow-y: auto; border: 0; padding: 0; margin: .5rem 0 0; }
}
@media (max-width: 64rem) {
  .margin, .margin:has(+ details) { position: static; display: flex; gap: .75em; margin: 0 0 .25rem; }
  .count::before { content: "["; } .count::after { content: "]"; }
}
@media (max-width: 40rem) { .page { padding: 1.75rem 1rem 3rem; } h1 { font-size: 1.75rem; } }

.bound { white-space: nowrap; } .katex { font-size: 1.06em; } .katex-display { margin: 1.1em 0; overflow-x: auto; overflow-y: hidden; padding: .1em 0; }

.hljs-keyword, .hljs-literal, .hljs-built_in.hljs-keyword { color: var(--keyword); }
.hljs-string, .hljs-regexp, .hljs-template-variable { color: var(--string); }
.hljs-number, .hljs-symbol { color: var(--number); }
.hljs-comment, .hljs-quote, .hljs-meta { color: var(--comment); font-style: italic; }
.hljs-title, .hljs-title.function_, .hljs-attr, .hljs-selector-class { color: var(--name); }
.hljs-type, .hljs-title.class_, .hljs-built_in, .hljs-name, .hljs-tag { color: var(--type); }
.hljs-subst, .hljs-params, .hljs-property, .hljs-variable { color: inherit; }

.ansi-bold { font-weight: 700; } .ansi-dim { opacity: .75; } .ansi-italic { font-style: italic; }
.ansi-underline { text-decoration: underline; } .ansi-strike { text-decoration: line-through; }
${Array.from({ length: 16 }, (_, index) => `.ansi-fg-${index} { color: var(--ansi-${index}); } .ansi-bg-${index} { background: var(--ansi-${index}); }`).join("\n")}

@media print {
  @page { margin: 18mm 16mm; }
  :root { color-scheme: light; }
  body { font-size: 10.5pt; }
  .page { display: block; max-width: none; padding: 0 0 0 3rem; }
  .margin, .margin:has(+ details) { position: absolute; display: block; margin-right: .85rem; }
  .count::before, .count::after { content: none; }
  .contents { display: none; }
  .outputs pre { max-height: none; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 8.5pt; }
  h1, h2, h3, h4 { break-after: avoid; }
  .input { break-after: avoid; } footer { break-before: avoid; }
  img, .figure, tr { break-inside: avoid; } .outputs img { max-height: 235mm; object-fit: contain; }
  .figure.is-live .still { display: block; } .figure .live { display: none; }
}
`;
