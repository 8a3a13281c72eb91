"use strict";
// Elements are made of text alone, never of markup: names and logs may hold anything.
const hpo = {};
{
  hpo.el = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined)
        element.setAttribute(name, value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  };

  hpo.number = (value) =>
    typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(6))) : String(value);

  const SHOWN = new Intl.NumberFormat("en-US");
  hpo.counted = (many, noun) => `${SHOWN.format(many)} ${noun}${many === 1 ? "" : "s"}`;

  hpo.badge = (state) =>
    hpo.el("span", { class: `badge ${state.replace(/[^a-z_]/g, "")}` }, state.replace("_", " "));

  // A region of the page with a heading, by which screen readers find it.
  hpo.region = (title, level, ...children) => {
    const id = `s${(hpo.region.last = (hpo.region.last || 0) + 1)}`;
    return hpo.el("section", { "aria-labelledby": id },
      hpo.el(`h${level}`, { id }, title), ...children);
  };

  // -- light and dark ----------------------------------------------------------------------

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => { try { return localStorage.getItem("hpo-theme"); } catch { return null; } };
  hpo.theme = () => chosen() || (dark.matches ? "dark" : "light");
  hpo.themed = [];
  hpo.applyTheme = () => {
    document.documentElement.dataset.theme = hpo.theme();
    for (const each of hpo.themed) each();
  };
  dark.addEventListener("change", hpo.applyTheme);
  hpo.themeButton = () => {
    const button = hpo.el("button", { type: "button", onclick: () => {
      try { localStorage.setItem("hpo-theme", hpo.theme() === "dark" ? "light" : "dark"); } catch { /* a file may have none */ }
      hpo.applyTheme();
    } });
    const name = () => { button.textContent = hpo.theme() === "dark" ? "Light" : "Dark"; };
    hpo.themed.push(name);
    name();
    return button;
  };
  document.documentElement.dataset.theme = hpo.theme();
}
