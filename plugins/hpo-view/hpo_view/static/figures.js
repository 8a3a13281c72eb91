"use strict";
// Figures are drawn when they come into view, and freed when they are far from it: browsers have
// few WebGL contexts, and a page has many figures.
{
  const WIDE = { slice: 640, parallel_coordinate: 720, contour: 640, rank: 640 };
  const NAMES = /^(compare_)?/;
  const live = new Set();

  const draw = async (holder) => {
    const figure = await holder.load();
    holder.caption.textContent = figure.caption;
    holder.heading.textContent = figure.title;
    holder.plot.setAttribute("aria-label", `${figure.title}. ${figure.caption}`);
    holder.plot.style.height = `${figure.layout.height}px`;
    if (figure.isEmpty) {
      Plotly.purge(holder.plot);
      holder.plot.textContent = figure.caption;
      holder.plot.style.height = "";
      holder.caption.textContent = "";
      return;
    }
    if (!holder.isDrawn) holder.plot.textContent = "";
    const layout = { ...figure.layout, template: hpo.templates[hpo.theme()], autosize: true };
    await Plotly.react(holder.plot, figure.data, layout, {
      responsive: true, displaylogo: false, showTips: false,
    });
    holder.isDrawn = true;
    holder.element.dataset.drawn = "yes";
  };

  // Draw again without two drawings of one figure at a time.
  const redraw = (holder) => {
    holder.wanted = true;
    holder.busy ||= (async () => {
      while (holder.wanted) {
        holder.wanted = false;
        try { await draw(holder); } catch (error) { holder.caption.textContent = String(error.message || error); }
      }
      holder.busy = null;
    })();
    return holder.busy;
  };

  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const holder = target.holder;
      holder.isNear = isIntersecting;
      if (isIntersecting) redraw(holder);
      else if (holder.isDrawn) {
        Plotly.purge(holder.plot);
        holder.isDrawn = false;
        delete holder.element.dataset.drawn;
      }
    }
  }, { rootMargin: "500px 0px" });

  // Return the element of a figure. `load` returns a promise of it.
  hpo.figure = (name, title, height, load) => {
    const plot = hpo.el("div", { class: "plot", role: "img", "aria-label": title });
    plot.style.height = `${height || 420}px`;
    const bare = name.replace(NAMES, "");
    plot.style.minWidth = WIDE[bare] ? `${WIDE[bare]}px` : "";
    const heading = hpo.el("h3", {}, title);
    const caption = hpo.el("figcaption", {});
    const scroll = hpo.el("div", WIDE[bare] ? { class: "scroll", tabindex: "0", role: "group", "aria-label": `${title}, may scroll sideways` } : { class: "scroll" }, plot);
    const element = hpo.el("figure", { class: WIDE[bare] ? "wide" : "", "data-name": name }, heading, scroll, caption);
    const holder = { element, plot, heading, caption, load, isDrawn: false, isNear: false };
    element.holder = holder;
    live.add(holder);
    near.observe(element);
    return element;
  };

  // Draw what is in view again: its data or its look has changed.
  hpo.refreshFigures = () => {
    for (const holder of live) {
      if (!holder.element.isConnected) { near.unobserve(holder.element); if (holder.isDrawn) Plotly.purge(holder.plot); live.delete(holder); }
      else if (holder.isNear) redraw(holder);
    }
  };
  hpo.themed.push(hpo.refreshFigures);
}
