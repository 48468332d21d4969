"use strict";
document.documentElement.classList.add("scripted");
const choice = document.getElementById("choice");
const rows = document.querySelectorAll("#verdicts tbody tr");
const exhibits = document.querySelectorAll("#exhibits .exhibit");
const shown = document.getElementById("shown");
function wanted(code, wrong) {
  return choice.value === "all" || code === choice.value || (choice.value === "wrong" && wrong);
}
function filter() {
  let number = 0;
  for (const row of rows) {
    row.hidden = !wanted(row.dataset.code, row.classList.contains("wrong"));
    number += row.hidden ? 0 : 1;
  }
  for (const exhibit of exhibits) exhibit.hidden = !wanted(exhibit.dataset.code, true);
  shown.textContent = `${number} of ${rows.length} shown`;
}
if (choice) {
  choice.addEventListener("change", filter);
  filter();
}
const folded = document.querySelectorAll("details");
for (const part of folded) part.open = false;
addEventListener("beforeprint", () => {
  for (const part of folded) part.open = true;
});
