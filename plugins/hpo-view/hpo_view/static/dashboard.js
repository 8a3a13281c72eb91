"use strict";
// The dashboard's pages: `#/` all studies, `#/NAME` a study, `#/NAME/7` a trial.
{
  const { first, readOnly, polled } = document.body.dataset;
  const main = document.querySelector("main"), header = document.querySelector("header");
  const live = hpo.el("span", { class: "note", role: "status" }, "connecting …");
  const crumbs = hpo.el("nav", { "aria-label": "You are here" });
  header.append(hpo.el("h1", {}, "hpo dashboard"), crumbs, live, hpo.themeButton());
  let stream = null, page = null;

  const ask = async (path, options) => {
    const answer = await fetch(path, options);
    const text = await answer.text();
    let found;
    try { found = JSON.parse(text); } catch { found = { error: text }; }
    if (!answer.ok) throw new Error(found.error || answer.statusText);
    return found;
  };
  const of = (name) => `/api/study/${encodeURIComponent(name)}`;
  const to = (...parts) => `#/${parts.map(encodeURIComponent).join("/")}`;

  // -- all studies -------------------------------------------------------------------------

  const list = () => {
    const body = hpo.el("tbody"), status = hpo.el("p", { class: "status" });
    const heads = ["study", "state", "best", "trials", "completed", "running", "failed", "strategy", "created"];
    main.replaceChildren(hpo.region("Studies", 2, status,
      hpo.el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Studies, may scroll sideways" },
        hpo.el("table", {}, hpo.el("thead", {}, hpo.el("tr", {}, heads.map((name) => hpo.el("th", { scope: "col" }, name)))), body))));
    const set = async () => {
      const studies = await ask("/api/studies");
      status.textContent = hpo.counted(studies.length, "study").replace("studys", "studies");
      body.replaceChildren(...studies.map((each) => hpo.el("tr", {},
        hpo.el("th", { scope: "row" }, hpo.el("a", { href: to(each.name) }, each.name)),
        hpo.el("td", {}, hpo.badge(each.state)), hpo.el("td", {}, each.best),
        ...["trials", "completed", "running", "failed", "strategy", "created"].map((key) => hpo.el("td", {}, String(each[key]))))));
    };
    return { set };
  };

  // -- a study -----------------------------------------------------------------------------

  const actions = (name, changed) => {
    if (readOnly) return hpo.el("p", { class: "note" }, "This dashboard is read-only.");
    const said = hpo.el("p", { role: "status" });
    const act = (action, given) => async () => {
      try {
        const body = JSON.stringify(given ? given() : {});
        said.textContent = "…";
        const { done } = await ask(`${of(name)}/${action}`, { method: "POST", body, headers: { "Content-Type": "application/json" } });
        said.textContent = `${done}.`;
        changed(action);
      } catch (error) { said.textContent = `Not done: ${error.message}`; }
    };
    const limit = hpo.el("select", { "aria-label": "Limit" }, ["jobs", "trials", "iterations", "compute_time", "wall_time"].map((each) => hpo.el("option", { value: each }, each.replace("_", " "))));
    const more = hpo.el("input", { value: "+20", size: "6", "aria-label": "How much more, such as +20 or +30m" });
    const values = hpo.el("textarea", { rows: "2", cols: "34", "aria-label": "Configuration as JSON", placeholder: '{"lr": 0.01, "depth": 3}' });
    const sure = hpo.el("input", { "aria-label": `Type ${name} to delete it`, placeholder: name });
    const submit = (action, given) => (event) => { event.preventDefault(); act(action, given)(); };
    return hpo.el("div", { class: "actions-all" },
      hpo.el("div", { class: "actions" },
        hpo.el("button", { type: "button", onclick: act("stop") }, "Stop"),
        hpo.el("form", { class: "actions", onsubmit: submit("extend", () => ({ [limit.value]: more.value })) }, limit, more, hpo.el("button", {}, "Extend"))),
      hpo.el("details", {}, hpo.el("summary", {}, "Enqueue a configuration"),
        hpo.el("form", { class: "actions", onsubmit: submit("enqueue", () => JSON.parse(values.value)) }, values, hpo.el("button", {}, "Enqueue"))),
      hpo.el("details", {}, hpo.el("summary", {}, "Delete the study"),
        hpo.el("form", { class: "actions", onsubmit: submit("delete", () => { if (sure.value !== name) throw new Error(`type ${name} to delete it`); return {}; }) }, sure, hpo.el("button", { class: "danger" }, "Delete with its logs and checkpoints"))),
      said);
  };

  const study = (name) => {
    let shown = null;
    const set = async () => {
      const now = await ask(of(name));
      if (shown) { shown.set(now); hpo.refreshFigures(); return; }
      shown = hpo.study(now, (figure) => ask(`${of(name)}/figure/${figure}`), (trial) => to(name, String(trial)));
      const buttons = actions(name, (action) => { if (action === "delete") location.hash = "#/"; });
      shown.querySelector("h2").after(buttons);
      main.replaceChildren(shown);
    };
    return { set };
  };

  // -- a trial -----------------------------------------------------------------------------

  const pairs = (list) => hpo.el("dl", { class: "facts" }, list.map(([key, value]) => hpo.el("div", {}, hpo.el("dt", {}, key), hpo.el("dd", {}, value))));

  const trial = (name, id) => {
    const state = hpo.el("p"), values = hpo.el("div"), jobs = hpo.el("ul"), reason = hpo.el("pre", { tabindex: "0" });
    const log = hpo.el("pre", { tabindex: "0", class: "log", "aria-label": "Log" }), logTitle = hpo.el("p", { class: "note" });
    let figure = null, job = null, next = 0;
    const curves = hpo.figure("curves", "Curves", 420, async () => figure);
    const failed = hpo.region("Why it failed", 3, reason);
    main.replaceChildren(hpo.el("article", {}, hpo.el("h2", { tabindex: "-1" }, `${name}, trial ${id}`), state,
      hpo.el("div", { class: "cards" }, hpo.el("div", { class: "card" }, values), hpo.el("div", { class: "card" }, hpo.el("h3", {}, "Jobs"), jobs)),
      failed, curves, hpo.region("Log", 3, logTitle, log)));
    const grow = async () => {
      if (job === null) return;
      const part = await ask(`${of(name)}/log/${job}?from=${next}`);
      if (part.next < next) log.textContent = "";
      next = part.next;
      if (!part.text) return;
      const follows = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
      log.append(part.text);
      if (follows) log.scrollTop = log.scrollHeight;
    };
    const set = async () => {
      const now = await ask(`${of(name)}/trial/${id}`);
      figure = now.figure;
      state.replaceChildren(hpo.badge(now.state));
      values.replaceChildren(pairs([...now.values, ...now.configuration]));
      jobs.replaceChildren(...now.jobs.map(([each, how, began, ended]) => hpo.el("li", {}, `${each} `, hpo.badge(how), ` ${began}${ended ? ` to ${ended}` : ""}`)));
      failed.hidden = !now.reason;
      reason.textContent = now.reason;
      const last = now.jobs.length ? now.jobs[now.jobs.length - 1][0] : null;
      if (last !== job) { job = last; next = 0; log.textContent = ""; logTitle.textContent = job ? `of job ${job}` : "No job has run."; }
      await grow();
      hpo.refreshFigures();
    };
    return { set, grow, stream: `?study=${encodeURIComponent(name)}&trial=${id}` };
  };

  // -- which page, and its events ----------------------------------------------------------

  // One question at a time, and none left out: what changes meanwhile is asked for afterwards.
  const steady = (task) => {
    let busy = false, again = false;
    return async () => {
      if (busy) { again = true; return; }
      busy = true;
      do {
        again = false;
        try { await task(); } catch (error) { live.textContent = error.message; }
      } while (again);
      busy = false;
    };
  };

  const open = () => {
    const [name, id] = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
    crumbs.replaceChildren(hpo.el("a", { href: "#/" }, "All studies"), ...(name ? [hpo.el("a", { href: to(name) }, name)] : []));
    document.title = name ? `${name} - hpo dashboard` : "hpo dashboard";
    page = id ? trial(name, id) : name ? study(name) : list();
    const set = steady(page.set), grow = page.grow ? steady(page.grow) : null;
    if (stream) stream.close();
    stream = new EventSource(`/events${page.stream || ""}`);
    stream.addEventListener("ready", () => { live.textContent = polled ? "looked at every 5 s (network file system)" : "live"; set(); });
    stream.addEventListener("change", set);
    if (grow) stream.addEventListener("log", grow);
    stream.onerror = () => { live.textContent = "the dashboard does not answer"; };
  };

  (async () => {
    hpo.templates = await ask("/api/looks");
    if (!location.hash && first) location.hash = to(first);
    addEventListener("hashchange", open);
    open();
    document.documentElement.dataset.ready = "yes";
  })();
}
