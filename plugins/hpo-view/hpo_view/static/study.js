"use strict";
// A study's sections, for the report and the dashboard alike; `set` shows newer data in place.
{
  const facts = (list) => hpo.el("dl", { class: "facts" },
    list.map(([name, said]) => hpo.el("div", {}, hpo.el("dt", {}, name), hpo.el("dd", {}, said))));

  const bar = ({ name, share, text }) => hpo.el("div", { class: "limit" },
    hpo.el("span", {}, name), hpo.el("span", { class: "number" }, text),
    share === null ? null : hpo.el("progress", { max: "1", value: String(share), "aria-label": `${name}: ${text}` }));

  const failure = ({ cause, jobs, latest, reason, log }) => hpo.el("details", {},
    hpo.el("summary", {}, hpo.el("strong", {}, `${jobs} × `), cause),
    hpo.el("p", {}, `The latest is job ${latest}:`),
    hpo.el("pre", { tabindex: "0" }, reason || "(no reason)"),
    hpo.el("p", {}, log ? "The end of its log:" : "It printed nothing."),
    log ? hpo.el("pre", { tabindex: "0" }, log) : null);

  const plugins = (list) => hpo.el("ul", {}, list.map((each) =>
    hpo.el("li", {}, `${each.role}: ${each.name} (${each.distribution} ${each.version})`)));

  hpo.study = (study, load, onopen) => {
    const best = hpo.el("p", { class: "best" });
    const state = hpo.el("p", {});
    const about = hpo.el("div", {}), limits = hpo.el("div", { class: "limits" });
    const causes = hpo.el("div", {}), built = hpo.el("div", {});
    const config = hpo.el("pre", { tabindex: "0" });
    const table = hpo.table(`Trials of ${study.name}`, onopen);
    const grid = hpo.el("div", { class: "grid" });
    const missing = hpo.el("p", { class: "missing" });
    const heads = new Map();

    const set = (now) => {
      state.replaceChildren(hpo.badge(now.state), now.reason ? ` ${now.reason}` : "");
      best.textContent = now.best ? `${now.isBestComplete ? "Best" : "Best so far (not completed)"}: ${now.best}` : "No trial has a value yet.";
      about.replaceChildren(facts(now.facts));
      limits.replaceChildren(...now.budget.map(bar));
      causes.replaceChildren(...(now.failures.length ? now.failures.map(failure) : [hpo.el("p", {}, "No job has failed.")]));
      if (config.textContent !== now.config) config.textContent = now.config;
      built.replaceChildren(plugins(now.plugins));
      table.set(now.table);
      for (const { name, title, height } of now.figures) {
        if (!heads.has(name)) {
          const figure = hpo.figure(name, title, height, () => load(name));
          heads.set(name, figure);
          grid.append(figure);
        }
      }
      missing.textContent = now.missing.length ? `Not drawn: ${now.missing.join("; ")}` : "";
    };

    const element = hpo.el("article", { class: "study" },
      hpo.el("h2", { id: `study-${study.name}`, tabindex: "-1" }, study.name),
      hpo.el("div", { class: "cards" },
        hpo.el("div", { class: "card" }, state, best, limits), hpo.el("div", { class: "card" }, about)),
      hpo.region("Plots", 3, grid, missing),
      hpo.region("Trials", 3, table),
      hpo.region("Failures", 3, causes),
      hpo.region("Configuration and plugins", 3, built,
        hpo.el("details", {}, hpo.el("summary", {}, "The stored configuration"), config)));
    element.set = set;
    set(study);
    return element;
  };
}
