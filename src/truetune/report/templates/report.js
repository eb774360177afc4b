/* Adds, never needed: a switch between light and dark, and a filter for the list of items. */
(() => {
  const root = document.documentElement;
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const toggle = document.createElement("button");
  toggle.type = "button";
  toggle.className = "toggle";
  const label = () => { toggle.textContent = dark() ? "Light" : "Dark"; toggle.setAttribute("aria-label", `Switch to ${dark() ? "light" : "dark"} colours`); };
  toggle.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; label(); });
  label();
  document.querySelector("header.top").append(toggle);

  for (const list of document.querySelectorAll("[data-filter]")) {
    const items = [...list.querySelectorAll(".item")];
    const bar = document.createElement("div");
    bar.className = "filter";
    const words = Object.assign(document.createElement("input"), { type: "search", placeholder: "Filter by words" });
    words.setAttribute("aria-label", "Filter the items by words");
    const kinds = document.createElement("select");
    kinds.setAttribute("aria-label", "Filter the items by outcome");
    kinds.add(new Option("every outcome", ""));
    const seen = new Map(items.map((item) => [item.dataset.outcome, item.querySelector(".badge").textContent.trim()]));
    seen.forEach((text, kind) => kinds.add(new Option(text, kind)));
    const count = document.createElement("output");
    const apply = () => {
      const wanted = words.value.toLowerCase();
      let left = 0;
      for (const item of items) {
        item.hidden = (kinds.value && item.dataset.outcome !== kinds.value) || !item.textContent.toLowerCase().includes(wanted);
        left += !item.hidden;
      }
      count.textContent = `${left} of ${items.length}`;
    };
    words.addEventListener("input", apply);
    kinds.addEventListener("change", apply);
    bar.append(words, kinds, count);
    list.prepend(bar);
    apply();
  }
})();
