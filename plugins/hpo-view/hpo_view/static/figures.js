"use strict";
// Figures are drawn when they come into view, and freed when they are far from it: browsers have
// few WebGL contexts, and a page has many figures.
{
  const WIDE = { slice: 640, parallel_coordinate: 720, contour: 640, rank: 640 };
  const NAMES = /^(compare_)?/;
  const live = new Set();

  // On a dark background, points and lines have a lighter colour scale.
  const shaded = (figure) => {
    if (hpo.theme() !== "dark") return figure;
    const colours = hpo.templates.darkScale, last = colours.length - 1;
    const colorscale = colours.map((colour, place) => [place / last, colour]);
    const rescaled = (part) => (part.colorscale ? { ...part, colorscale } : part);
    const layout = Object.fromEntries(Object.entries(figure.layout).map(([name, part]) =>
      [name, name.startsWith("coloraxis") ? rescaled(part) : part]));
    const data = figure.data.map((trace) => {
      const changed = { ...trace };
      for (const part of ["marker", "line"]) if (trace[part]) changed[part] = rescaled(trace[part]);
      if (trace.meta && trace.meta.shade !== undefined)
        changed.line = { ...trace.line, color: colours[Math.round(trace.meta.shade * last)] };
      return changed;
    });
    return { ...figure, data, layout };
  };

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
    const { data, layout: given } = shaded(figure);
    const layout = { ...given, template: hpo.templates[hpo.theme()], autosize: true };
    await Plotly.react(holder.plot, data, layout, {
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

  // At first only what is in view is drawn: the rest would cost as much again. Once the reader
  // scrolls, figures are drawn a little before they come into view.
  let hasScrolled = false;
  const isWanted = (holder) => holder.isSeen || (hasScrolled && holder.isNear);
  const drawIfWanted = (holder) => { if (isWanted(holder) && !holder.isDrawn && !holder.busy) redraw(holder); };

  const near = new IntersectionObserver((entries) => {
    for (const { target: { holder }, isIntersecting } of entries) {
      holder.isNear = isIntersecting;
      drawIfWanted(holder);
      if (!isIntersecting && holder.isDrawn) {
        Plotly.purge(holder.plot);
        holder.isDrawn = false;
        delete holder.element.dataset.drawn;
      }
    }
  }, { rootMargin: "500px 0px" });

  const seen = new IntersectionObserver((entries) => {
    for (const { target: { holder }, isIntersecting } of entries) {
      holder.isSeen = isIntersecting;
      drawIfWanted(holder);
    }
  });

  addEventListener("scroll", () => {
    hasScrolled = true;
    for (const holder of live) drawIfWanted(holder);
  }, { once: true, passive: true });

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
    const holder = { element, plot, heading, caption, load, isDrawn: false, isNear: false, isSeen: false };
    element.holder = holder;
    live.add(holder);
    near.observe(element);
    seen.observe(element);
    return element;
  };

  // Draw what is in view again: its data or its look has changed.
  hpo.refreshFigures = () => {
    for (const holder of live) {
      if (!holder.element.isConnected) { near.unobserve(holder.element); seen.unobserve(holder.element); if (holder.isDrawn) Plotly.purge(holder.plot); live.delete(holder); }
      else if (holder.isDrawn || isWanted(holder)) redraw(holder);
    }
  };
  hpo.themed.push(hpo.refreshFigures);
}
