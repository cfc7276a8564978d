"use strict";
// Saves a chart as an SVG file of its own (colours resolved) and the trends table as CSV, and shows the numbers of a
// period at once where it is pointed at. The page works without any of it.
(() => {
  const save = (name, type, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const chartText = (svg) => {
    const copy = svg.cloneNode(true);
    const style = document.createElementNS("http://www.w3.org/2000/svg", "style");
    const root = getComputedStyle(document.documentElement);
    const rules = document.getElementById("chart-style").textContent;
    style.textContent = rules.replace(/--c:var\(--c(\d)\)/g, (_, n) => `--c:${root.getPropertyValue("--c" + n)}`)
      .replace(/var\((--(?!c\b)[\w-]+)\)/g, (_, name) => root.getPropertyValue(name));
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.prepend(style);
    return new XMLSerializer().serializeToString(copy);
  };
  for (const button of document.querySelectorAll("button[data-save]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      if (button.dataset.save === "csv") {
        const text = document.getElementById("trends-csv").textContent;
        save("trends.csv", "text/csv", "\ufeff" + JSON.parse(text));
      } else {
        save(button.dataset.save + ".svg", "image/svg+xml", chartText(button.closest("figure").querySelector("svg")));
      }
    });
  }
  const tip = document.body.appendChild(document.createElement("div"));
  tip.className = "tip";
  tip.hidden = true;
  document.addEventListener("pointermove", (event) => {
    const at = event.target.closest && event.target.closest(".at");
    tip.hidden = !at;
    if (!at) return;
    const title = at.querySelector("title");
    if (title) {
      at.dataset.tip = title.textContent;
      title.remove();
    }
    tip.textContent = at.dataset.tip;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8)) + "px";
    tip.style.top = Math.max(4, event.clientY - box.height - 12) + "px";
  });
})();
