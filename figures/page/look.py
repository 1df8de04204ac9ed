"""How the report page looks: two palettes, light and dark, the style sheet, and the small script that filters the
ledger. Without the script the page shows everything."""

from __future__ import annotations

from figures.page.markup import Html

# Every colour of text reads on every colour of ground, at a contrast of at least 4.5.
GROUNDS = ("page", "panel", "shade")
INKS = ("ink", "muted", "link", "true", "false", "typo", "definition", "empirical", "undecided")
LIGHT = {
    "page": "#faf9f6",
    "panel": "#ffffff",
    "shade": "#f0eee8",
    "ink": "#1c1e21",
    "muted": "#575c64",
    "link": "#0a4f94",
    "true": "#1a6a3a",
    "false": "#a3232b",
    "typo": "#835400",
    "definition": "#3a5787",
    "empirical": "#634a8c",
    "undecided": "#7a3f78",
    "line": "#dad6cc",
    "plate": "#ffffff",
}
DARK = {
    "page": "#14161a",
    "panel": "#1b1e24",
    "shade": "#252931",
    "ink": "#e7e5e0",
    "muted": "#a6abb4",
    "link": "#8fbcf2",
    "true": "#86d3a0",
    "false": "#ff9e98",
    "typo": "#e9ba63",
    "definition": "#a3bdea",
    "empirical": "#c6b0ec",
    "undecided": "#e3a5e0",
    "line": "#3a404a",
    "plate": "#ffffff",
}
PAGE = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);
 font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:break-word}
.wide,nav ul{max-width:64rem;margin-inline:auto;padding-inline:1.25rem}
p,ul,dd,li{max-width:46rem}
h1,h2,h3{font-family:"Iowan Old Style","Palatino Linotype",Palatino,"Book Antiqua",Georgia,serif;line-height:1.22;
 font-weight:600;text-wrap:balance}
h1{font-size:clamp(1.75rem,1.2rem + 2.4vw,2.6rem);margin:.3rem 0 .8rem}
h2{font-size:clamp(1.4rem,1.15rem + 1vw,1.8rem);margin:0 0 .6rem}
h3{font-size:1.16rem;margin:0 0 .35rem}
h2,h3,article,figure,details,section{scroll-margin-top:3.6rem}
a{color:var(--link);text-underline-offset:.15em}
a:hover{text-decoration-thickness:2px}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:3px}
code{font:.875em/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;overflow-wrap:anywhere}
header{padding-block:2.6rem 1.6rem}
.eyebrow{margin:0;color:var(--muted);font-size:.875rem}
.lead{font-size:1.12rem}
.skip{position:absolute;left:-99rem;background:var(--panel);padding:.6rem 1rem;z-index:20}
.skip:focus{left:.5rem;top:.5rem}
nav{position:sticky;top:0;z-index:5;background:var(--page);border-block:1px solid var(--line)}
nav ul{display:flex;gap:1.35rem;list-style:none;margin-block:0;padding-block:.6rem;overflow-x:auto;white-space:nowrap;
 font-size:.93rem}
nav a{text-decoration:none}
section{padding-block:2.6rem .6rem}
section+section{border-top:1px solid var(--line);margin-top:2rem}
.muted,.where,.note{color:var(--muted)}
.note,.notes{font-size:.9rem}
.notes{color:var(--muted);padding-left:1.1rem;margin-top:.6rem}
.notes li{margin-block:.25rem;max-width:60rem}
"""
PARTS = """
.counts{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.9rem,1fr));gap:.65rem;list-style:none;padding:0;
 margin:1.6rem 0 0;max-width:none}
.counts li{background:var(--panel);border:1px solid var(--line);border-radius:8px;max-width:none}
.counts a{display:block;padding:.75rem .95rem .7rem;text-decoration:none;color:var(--ink);font-size:.9rem;
 line-height:1.35;height:100%}
.counts b{display:block;font:600 1.75rem/1.15 "Iowan Old Style","Palatino Linotype",Palatino,Georgia,serif;
 color:var(--link);font-variant-numeric:lining-nums;white-space:nowrap}
.counts a:hover{text-decoration:underline}
.bar{display:flex;gap:2px;height:.8rem;margin:1.2rem 0 .5rem;border-radius:4px;overflow:hidden}
.bar span{background:currentColor;min-width:3px}
.key{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;padding:0;margin:0;max-width:none;font-size:.9rem}
.verdict{font-weight:600;white-space:nowrap}
.command{margin:.7rem 0;font-size:.95rem}
.command>code{display:inline-block;background:var(--shade);border:1px solid var(--line);border-radius:6px;
 padding:.28rem .6rem;margin-right:.7rem}
.command span{color:var(--muted);user-select:none}
.absent{border:1px dashed var(--muted);border-radius:8px;padding:.2rem 1rem;margin-block:1rem}
.card{background:var(--panel);border:1px solid var(--line);border-left:4px solid var(--muted);border-radius:8px;
 padding:1rem 1.15rem .55rem;margin-block:.95rem}
.card.false{border-left-color:var(--false)}
.card.typo{border-left-color:var(--typo)}
.card.true{border-left-color:var(--true)}
.where{margin:0 0 .65rem;font-size:.9rem}
dl{margin:0;display:grid;grid-template-columns:9rem 1fr;gap:.45rem 1rem}
dt{color:var(--muted);font-size:.9rem;line-height:1.75}
dd{margin:0}
dd p{margin:0}
dd ul{margin:0;padding-left:1.05rem}
details{margin-block:.9rem}
summary{cursor:pointer;padding:.35rem 0;font-weight:600}
.claim{margin:0;border-top:1px solid var(--line)}
.claim>summary{font-weight:400;display:grid;grid-template-columns:minmax(12rem,17rem) 1fr 6rem 11rem;gap:.1rem 1rem;
 padding:.42rem .2rem;align-items:baseline}
.claim>summary:hover{background:var(--shade)}
.claim>summary .grade{color:var(--muted);font-size:.9rem}
.claim>summary .name::before{content:"▸ ";color:var(--muted)}
.claim[open]>summary .name::before{content:"▾ "}
.claim[open]{background:var(--panel)}
.claim>.inside{padding:.4rem .9rem 1rem;border-left:3px solid var(--line);font-size:.95rem}
.chapter>summary{font-size:1.02rem}
.evidence{list-style:none;padding:0}
.evidence li{margin-bottom:.3rem}
.filter{display:flex;flex-wrap:wrap;gap:.7rem 1rem;align-items:end;margin-block:1rem}
.filter[hidden],.claim[hidden],.chapter[hidden]{display:none}
.filter label{display:grid;gap:.15rem;font-size:.9rem;color:var(--muted)}
.filter input,.filter select{font:inherit;color:var(--ink);background:var(--panel);border:1px solid var(--muted);
 border-radius:6px;padding:.4rem .6rem;max-width:100%}
.filter input{width:min(22rem,calc(100vw - 3.5rem))}
.equations{columns:19rem;list-style:none;padding:0;max-width:none;font-size:.9rem}
.equations li{break-inside:avoid;margin-bottom:.2rem}
.scroll{overflow-x:auto;background:var(--panel);border:1px solid var(--line);border-radius:8px;margin-block:.9rem}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums lining-nums}
th,td{text-align:left;vertical-align:top;padding:.42rem .75rem;border-bottom:1px solid var(--line)}
tbody tr:last-child>*{border-bottom:0}
thead th{background:var(--shade);font-weight:600;vertical-align:bottom}
tbody th{font-weight:500}
.missing{color:var(--muted)}
.numbers :is(td,th):not(:first-child){text-align:right}
.numbers :is(td,th):last-child{text-align:left}
.numbers td:last-child{min-width:24rem}
section h3{margin-top:1.9rem}
.card h3,figure h3{margin-top:0}
h3 .verdict{white-space:normal}
.bounds td,.bounds th{min-width:6.5rem}
.bounds :is(td,th):nth-child(-n+4){min-width:11rem}
.failing :is(td,th):nth-child(n){min-width:10.5rem}
.failing td:last-child{min-width:15rem}
.runs td,.runs th{white-space:nowrap}
.runs{font-size:.84rem}
.runs :is(td,th){padding-inline:.55rem}
.runs thead th{white-space:normal;min-width:4.6rem}
figure{margin:1.9rem 0 2.4rem}
.picture{background:var(--plate);border:1px solid var(--line);border-radius:8px;overflow:hidden}
.picture img{display:block;width:100%;height:auto}
.picture .open{display:block;cursor:zoom-in}
.picture .close{display:none}
.picture:target{position:fixed;inset:0;z-index:10;overflow:auto;border:0;border-radius:0}
.picture:target img{width:max(100%,64rem);max-width:none}
.picture:target .open{pointer-events:none}
.picture:target .close{display:block;position:fixed;right:1rem;top:1rem;background:var(--panel);padding:.5rem 1rem;
 border:1px solid var(--line);border-radius:6px}
figcaption{margin-top:.8rem}
footer{border-top:1px solid var(--line);margin-top:3rem;padding-block:1.4rem 3rem;color:var(--muted);font-size:.9rem}
@media (max-width:44rem){
 dl{grid-template-columns:1fr;gap:0}
 dd{margin-bottom:.55rem}
 .claim>summary{grid-template-columns:1fr auto;gap:0 .8rem}
 .claim>summary .says{grid-column:1/-1}
 .claim>summary .name{grid-column:1/-1}
 .card{padding-inline:.85rem}
 .counts{grid-template-columns:1fr 1fr}
 .counts li:last-child:nth-child(odd){grid-column:span 2}
}
@media print{
 nav,.filter,.skip,.picture .close{display:none!important}
 body{font-size:10pt}
 .card,figure,tr{break-inside:avoid}
 h2,h3,summary{break-after:avoid}
 .scroll{overflow:visible}
 table{font-size:7.5pt}
}
"""
SCRIPT = Html("""
(function () {
  var form = document.getElementById('filter');
  function unfold() {
    var place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (var part = place; part; part = part.parentElement) if (part.tagName === 'DETAILS') part.open = true;
    if (place) place.scrollIntoView();
  }
  addEventListener('hashchange', unfold);
  if (location.hash) unfold();
  if (!form) return;
  var words = form.elements.words, verdict = form.elements.verdict, told = document.getElementById('told');
  var claims = Array.prototype.map.call(document.querySelectorAll('.claim'), function (claim) {
    // A formula is searched for as it is written in the ledger, `theta_1 <= 1`, not as it is set.
    const written = [...claim.querySelectorAll('math')].map((one) => one.getAttribute('alttext')).join(' ');
    return { part: claim, text: (claim.textContent + ' ' + written).toLowerCase(), verdict: claim.dataset.verdict };
  });
  function filter() {
    var wanted = words.value.toLowerCase().split(/\\s+/).filter(Boolean), shown = 0;
    var all = !wanted.length && !verdict.value;
    claims.forEach(function (claim) {
      var fits = (!verdict.value || claim.verdict === verdict.value) &&
        wanted.every(function (word) { return claim.text.indexOf(word) >= 0; });
      claim.part.hidden = !fits;
      shown += fits;
    });
    document.querySelectorAll('.chapter').forEach(function (chapter) {
      chapter.hidden = !chapter.querySelector('.claim:not([hidden])');
      chapter.open = !all && !chapter.hidden;
    });
    told.textContent = all ? '' : shown + ' of ' + claims.length;
  }
  words.addEventListener('input', filter);
  verdict.addEventListener('change', filter);
  form.addEventListener('submit', function (event) { event.preventDefault(); });
  form.hidden = false;
})();
""")


def style_sheet() -> Html:
    """The palettes and the rules. Colours stand in the palettes alone."""
    verdicts = [f".{name}:not(.card){{color:var(--{name})}}" for name in INKS[INKS.index("true") :]]
    dark = f"@media screen and (prefers-color-scheme:dark){{{_palette(DARK, 'dark')}}}"
    return Html("\n".join([_palette(LIGHT, "light"), dark, PAGE.strip(), PARTS.strip(), *verdicts]))


def _palette(colours: dict[str, str], scheme: str) -> str:
    named = ";".join(f"--{name}:{value}" for name, value in colours.items())
    return f":root{{color-scheme:{scheme};{named}}}"
