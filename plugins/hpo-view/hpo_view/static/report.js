"use strict";
{
  const report = JSON.parse(document.getElementById("data").textContent);
  hpo.templates = report.templates;
  const main = document.querySelector("main");
  const header = document.querySelector("header");
  header.append(
    hpo.el("h1", {}, report.title),
    hpo.el("nav", { "aria-label": "Studies" }, report.studies.length > 1
      ? report.studies.map(({ name }) => hpo.el("a", { href: `#study-${encodeURIComponent(name)}` }, name)) : []),
    hpo.themeButton());

  if (report.studies.length > 1) {
    const line = (name, of) => hpo.el("tr", {}, hpo.el("th", { scope: "row" }, name), report.studies.map((each) => hpo.el("td", {}, of(each))));
    const rows = [
      line("state", (each) => hpo.badge(each.state)),
      line("best", (each) => each.best),
      line("strategy", (each) => each.strategy),
      line("trials", (each) => String(each.trials)),
      line("completed", (each) => String(each.completed)),
      line("failed", (each) => String(each.failed)),
      ...report.studies[0].budget.map(({ name }, index) => line(name, (each) => each.budget[index].text)),
    ];
    main.append(hpo.region("Side by side", 2,
      hpo.el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Studies side by side" },
        hpo.el("table", { class: "sides" },
          hpo.el("thead", {}, hpo.el("tr", {}, hpo.el("td", {}), report.studies.map(({ name }) => hpo.el("th", { scope: "col" }, name)))),
          hpo.el("tbody", {}, rows))),
      report.notCompared ? hpo.el("p", {}, report.notCompared) : null,
      hpo.el("div", { class: "grid" }, report.compared.map((figure) =>
        hpo.figure(figure.name, figure.title, figure.layout.height, async () => figure)))));
  }
  for (const study of report.studies) {
    const figures = new Map(study.drawn.map((figure) => [figure.name, figure]));
    main.append(hpo.study(study, async (name) => figures.get(name)));
  }
  document.querySelector("footer").append(report.made);
  document.documentElement.dataset.ready = "yes";
}
