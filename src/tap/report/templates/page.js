"use strict";
document.documentElement.classList.add("scripted");
const choice = document.getElementById("choice");
const rows = document.querySelectorAll("#verdicts tbody tr");
const shown = document.getElementById("shown");
function filter() {
  let number = 0;
  for (const row of rows) {
    const wanted = choice.value === "all" || row.dataset.code === choice.value
      || (choice.value === "wrong" && row.classList.contains("wrong"));
    row.hidden = !wanted;
    number += wanted ? 1 : 0;
  }
  shown.textContent = `${number} of ${rows.length} shown`;
}
if (choice) {
  choice.addEventListener("change", filter);
  filter();
}
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
