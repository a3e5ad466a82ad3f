// Which language the page speaks: the one chosen in it, else the browser's first, else English. Runs
// before every other script, and before the markup, which takes its words from LABELS too.
const LANGUAGE = (() => {
  let kept = null;
  try { kept = JSON.parse(localStorage.getItem("parley.language")); } catch { /* no storage: the browser's */ }
  if (Object.hasOwn(WORDS, kept)) return kept;
  const first = (navigator.languages?.[0] || navigator.language || "").toLowerCase().split("-")[0];
  return Object.hasOwn(WORDS, first) ? first : "en";
})();
const LABELS = WORDS[LANGUAGE];
document.documentElement.lang = LANGUAGE;
