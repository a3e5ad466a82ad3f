// The rendered text of an answer in the page: growing without being built anew, and what its blocks
// of code can do. The HTML comes from the server, rendered and sanitised.
Parley.prose = (() => {
  const { el, attr } = Parley;
  // What a block of code is saved as, where that is not its language's name.
  const ENDINGS = {
    text: "txt", asm: "s", bash: "sh", sh: "sh", shell: "sh", zsh: "sh", console: "txt", batch: "bat", "c#": "cs", csharp: "cs", "c++": "cpp", clojure: "clj", elixir: "ex",
    erlang: "erl", "f#": "fs", fsharp: "fs", fortran: "f90", golang: "go", haskell: "hs", javascript: "js", jinja: "j2", julia: "jl", kotlin: "kt", latex: "tex", matlab: "m",
    markdown: "md", nasm: "asm", "objective-c": "m", objc: "m", ocaml: "ml", octave: "m", perl: "pl", postgresql: "sql", powershell: "ps1", pwsh: "ps1", prolog: "pl",
    protobuf: "proto", py: "py", python: "py", python3: "py", pycon: "txt", ruby: "rb", rust: "rs", solidity: "sol", sqlite3: "sql", terraform: "tf", typescript: "ts",
    verilog: "v", yaml: "yml",
  };
  const WHOLE = { dockerfile: "Dockerfile", docker: "Dockerfile", make: "Makefile", makefile: "Makefile", cmake: "CMakeLists.txt", nginx: "nginx.conf" };

  // `root` is the page: every room's blocks of code work alike.
  function start(root) {
    root.addEventListener("click", e => {
      const button = e.target.closest("figure.code button[data-own]"), figure = button?.closest("figure");
      if (!figure) return;
      if (button.dataset.own === "save") save(figure.dataset.lang, figure.querySelector("code").textContent);
      else attr(button, "aria-pressed", String(figure.dataset.wrap = button.getAttribute("aria-pressed") !== "true"));
    });
  }
  function save(language, text) {
    const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "text/plain" })), download: fileName(language) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
  const fileName = language => WHOLE[language] || "code." + (ENDINGS[language] || language.replace(/[^\w-]/g, "") || "txt");

  // The node shows this HTML; what it shows already is left alone, with the selection, the focus and
  // the pressed buttons in it.
  function fill(node, html) {
    if (node.source === html) return;
    node.source = html;
    const wanted = document.createElement("template");
    wanted.innerHTML = html;
    // The server writes the button in English.
    for (const button of wanted.content.querySelectorAll(".copy-code")) button.textContent = LABELS.COPY;
    if (!node.firstChild) node.append(wanted.content);
    else become(node, wanted.content);
    for (const head of node.querySelectorAll("figcaption:not(:has([data-own]))")) head.append(
      el("button", { type: "button", "data-own": "wrap", "aria-pressed": "false" }, LABELS.WRAP),
      el("button", { type: "button", "data-own": "save" }, LABELS.DOWNLOAD));
  }
  // The children of `node` become those of `wanted`. What the page itself has put there stays.
  function become(node, wanted) {
    let old = node.firstChild;
    for (const next of [...wanted.childNodes]) {
      if (!old || old.dataset?.own) node.insertBefore(next, old);
      else if (old.nodeName !== next.nodeName) { const after = old.nextSibling; old.replaceWith(next); old = after; }
      else {
        if (old.nodeType === Node.TEXT_NODE) say(old, next.data);
        else if (old.nodeType === Node.ELEMENT_NODE && !old.classList.contains("done")) { dress(old, next); become(old, next); }
        old = old.nextSibling;
      }
    }
    while (old) { const after = old.nextSibling; if (!old.dataset?.own) old.remove(); old = after; }
  }
  // Text that has only grown keeps a selection in it.
  function say(node, text) {
    if (node.data === text) return;
    if (text.startsWith(node.data)) node.appendData(text.slice(node.length)); else node.data = text;
  }
  function dress(node, like) {
    for (const { name, value } of like.attributes) attr(node, name, value);
    for (const { name } of [...node.attributes]) if (!like.hasAttribute(name) && name !== "data-wrap") node.removeAttribute(name);
  }

  return { start, fill, fileName };
})();
