"use strict";
// A table that sorts by its heads, and shows the rows that a filter leaves, a page at a time.
{
  const PAGE = 50;
  const CONDITION = /^(.+?)(<=|>=|!=|=|<|>)(.*)$/;

  // "lr<0.01 state=failed diverged": conditions on columns; other words are in any cell.
  const parse = (text, columns) => text.trim().split(/\s+/).filter(Boolean).map((word) => {
    const found = word.match(CONDITION);
    const column = found ? columns.findIndex((each) => each.name.toLowerCase() === found[1].toLowerCase()) : -1;
    if (column < 0) {
      const wanted = word.toLowerCase();
      return (row) => row.some((cell) => String(cell ?? "").toLowerCase().includes(wanted));
    }
    const [, , sign, given] = found;
    const isNumber = given !== "" && !Number.isNaN(Number(given));
    return (row) => {
      const cell = row[column];
      if (cell === null || cell === "") return false;
      const [a, b] = isNumber && typeof cell === "number" ? [cell, Number(given)] : [String(cell).toLowerCase(), given.toLowerCase()];
      switch (sign) {
        case "<": return a < b;
        case ">": return a > b;
        case "<=": return a <= b;
        case ">=": return a >= b;
        case "=": return a === b;
        default: return a !== b;
      }
    };
  });

  // What is missing comes last, whichever way the rest is sorted; numbers before text.
  const compare = (column, sign) => (one, other) => {
    const a = one[column], b = other[column];
    const isMissing = (cell) => cell === null || cell === "";
    if (isMissing(a) || isMissing(b)) return isMissing(a) - isMissing(b);
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return sign * a.localeCompare(b);
  };

  // `onopen(trial)`, if it is given, makes of the first cell a link to the trial.
  hpo.table = (title, onopen) => {
    let columns = [], rows = [], shown = [], sort = null, page = 0;
    const head = hpo.el("thead"), body = hpo.el("tbody");
    const status = hpo.el("p", { class: "status", role: "status" });
    const filter = hpo.el("input", { type: "search", placeholder: "lr<0.01 state=failed …", "aria-label": `Filter ${title}: words, or conditions such as lr<0.01`, oninput: () => { page = 0; update(); } });
    const earlier = hpo.el("button", { type: "button", onclick: () => { page -= 1; draw(); } }, "Previous");
    const later = hpo.el("button", { type: "button", onclick: () => { page += 1; draw(); } }, "Next");

    const drawHead = () => {
      const cells = columns.map((column, index) => {
        const is = sort && sort.column === index ? (sort.sign > 0 ? "ascending" : "descending") : "none";
        const arrow = { ascending: " ▲", descending: " ▼", none: "" }[is];
        const button = hpo.el("button", { type: "button", onclick: () => {
          sort = is === "ascending" ? { column: index, sign: -1 } : is === "descending" ? null : { column: index, sign: 1 };
          page = 0;
          drawHead();
          head.querySelectorAll("button")[index].focus();
          update();
        } }, column.name, hpo.el("span", { "aria-hidden": "true" }, arrow));
        return hpo.el("th", { scope: "col", "aria-sort": is, class: column.kind }, button);
      });
      head.replaceChildren(hpo.el("tr", {}, cells));
    };

    const drawCell = (cell, index, row) => {
      const text = cell === null ? "" : hpo.number(cell);
      const kind = columns[index].kind;
      if (index === 0 && onopen)
        return hpo.el("td", { class: kind }, hpo.el("a", { href: onopen(row[0]) }, text));
      if (columns[index].name === "state") return hpo.el("td", {}, hpo.badge(text));
      return hpo.el("td", { class: kind, title: text.length > 40 ? text : null }, text);
    };

    const draw = () => {
      const pages = Math.max(Math.ceil(shown.length / PAGE), 1);
      page = Math.min(Math.max(page, 0), pages - 1);
      const some = shown.slice(page * PAGE, (page + 1) * PAGE);
      body.replaceChildren(...some.map((row) => hpo.el("tr", {}, row.map((cell, i) => drawCell(cell, i, row)))));
      const all = shown.length === rows.length ? hpo.counted(rows.length, "trial") : `${shown.length} of ${hpo.counted(rows.length, "trial")}`;
      status.textContent = `${all}, page ${page + 1} of ${pages}`;
      earlier.disabled = page === 0;
      later.disabled = page >= pages - 1;
    };

    const update = () => {
      const conditions = parse(filter.value, columns);
      shown = rows.filter((row) => conditions.every((holds) => holds(row)));
      if (sort) shown.sort(compare(sort.column, sort.sign));
      draw();
    };

    const element = hpo.el("div", { class: "table" },
      hpo.el("div", { class: "controls" }, filter, status, earlier, later),
      hpo.el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": `${title}, may scroll sideways` },
        hpo.el("table", {}, hpo.el("caption", { class: "hidden" }, title), head, body)));
    element.set = (table) => {
      ({ columns, rows } = table);
      if (head.children.length === 0 || head.querySelectorAll("th").length !== columns.length) drawHead();
      update();
    };
    return element;
  };
}
