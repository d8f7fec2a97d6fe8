"use strict";
const all = [...document.querySelectorAll("article")], files = [...document.querySelectorAll("details.file")];
const filter = document.querySelector(".filter"), words = document.getElementById("words"), rule = document.getElementById("rule");
const severities = [...document.querySelectorAll(".filter [name=severity]")], shown = document.getElementById("shown");
function look() {
  const wanted = words.value.trim().toLowerCase(), kinds = new Set(severities.filter((one) => one.checked).map((one) => one.value));
  let count = 0;
  for (const one of all) {
    const fits = kinds.has(one.dataset.severity) && (!rule.value || one.dataset.rule === rule.value)
      && (!wanted || one.closest("details").dataset.file.toLowerCase().includes(wanted) || one.textContent.toLowerCase().includes(wanted));
    one.hidden = !fits;
    count += fits;
  }
  const narrow = wanted !== "" || rule.value !== "";
  for (const file of files) {
    file.hidden = !file.querySelector("article:not([hidden])");
    if (narrow && files.length) file.open = !file.hidden && count <= 200;
  }
  shown.textContent = `${count} of ${all.length} findings shown`;
}
if (filter) {
  filter.hidden = false;
  for (const one of [words, rule, ...severities]) one.addEventListener("input", look);
  document.getElementById("open").addEventListener("click", () => { const to = files.some((one) => !one.hidden && !one.open); files.forEach((one) => { one.open = to; }); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/INPUT|SELECT|TEXTAREA/.test(document.activeElement.tagName)) { event.preventDefault(); words.focus(); }
    if (event.key === "Escape" && document.activeElement === words) { words.value = ""; look(); }
  });
  document.querySelectorAll("[data-pick]").forEach((one) => one.addEventListener("click", () => { rule.value = one.dataset.pick; look(); }));
  look();
}
const svg = document.querySelector("svg");
function ask(node, on) {
  svg.classList.toggle("asked", on);
  for (const one of svg.querySelectorAll(".of")) one.classList.remove("of");
  if (!on) return;
  node.classList.add("of");
  for (const edge of svg.querySelectorAll(".edge")) {
    const ends = edge.dataset.ends.split(" ");
    if (!ends.includes(node.dataset.name)) continue;
    edge.classList.add("of");
    for (const end of svg.querySelectorAll(".node")) if (ends.includes(end.dataset.name)) end.classList.add("of");
  }
}
for (const node of svg ? svg.querySelectorAll(".node") : []) {
  for (const [name, on] of [["mouseenter", true], ["focus", true], ["mouseleave", false], ["blur", false]]) node.addEventListener(name, () => ask(node, on));
}
document.documentElement.dataset.drawn = "yes";
