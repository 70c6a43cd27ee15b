// What a page can do once it is there. Without script everything is still readable.
"use strict";
(() => {
  const here = document.currentScript.src;
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  const make = (tag, properties = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...inside);
    return element;
  };

  // --- light and dark ---
  const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const themed = new Set(); // what to draw anew when the theme changes

  const themeSwitch = make("button", { type: "button", className: "theme" });
  const label = () => {
    themeSwitch.textContent = isDark() ? "Light" : "Dark";
    themeSwitch.title = `Switch to ${isDark() ? "light" : "dark"}`;
  };
  themeSwitch.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("theme", root.dataset.theme);
    } catch {
      // Not remembered; it still works for this page.
    }
    label();
    themed.forEach((draw) => draw());
  });
  dark.addEventListener("change", () => {
    label();
    themed.forEach((draw) => draw());
  });
  label();
  document.querySelector(".site-head nav")?.append(themeSwitch);

  // --- interactive charts: one shared plotly, loaded when the first is asked for ---
  let loading = null;
  const loadPlotly = () =>
    (loading ??= new Promise((done, failed) => {
      const script = make("script", { src: new URL("plotly.min.js", here).href });
      script.onload = () => done(window.Plotly);
      script.onerror = () => {
        loading = null;
        failed(new Error("the chart library is missing"));
      };
      document.head.append(script);
    }));

  const drawInto = (place, figure, Plotly) => {
    const layout = structuredClone(figure.layout ?? {});
    const page = getComputedStyle(document.body);
    delete layout.images; // nothing is loaded from elsewhere
    const axis = { gridcolor: "rgba(128,128,128,.2)", zerolinecolor: "rgba(128,128,128,.3)" };
    if (place.clientWidth < 600) {
      // A phone has no room for labels beside the plot; the drawing has short ones.
      layout.annotations = [];
      layout.margin = { ...layout.margin, r: 8 };
    }
    Object.assign(layout, {
      template: { layout: { xaxis: axis, yaxis: axis } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: "#8a929c", activecolor: page.color },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { ...layout.font, color: page.color, family: page.fontFamily },
      hoverlabel: { ...layout.hoverlabel, bgcolor: page.backgroundColor, font: { color: page.color } },
    });
    const config = { ...figure.config, displaylogo: false, responsive: true, showLink: false };
    return Plotly.react(place, figure.data ?? [], layout, config);
  };

  for (const chart of document.querySelectorAll("figure.chart")) {
    const button = chart.querySelector(".chart-open");
    const data = chart.querySelector('script[type="application/json"]');
    const drawing = chart.querySelector(".chart-drawing");
    if (!button || !data || !drawing) continue;
    const place = make("div", { className: "chart-live", hidden: true });
    const names = ["Interactive chart", "Back to the drawing"];
    let redraw = null;
    drawing.after(place);
    button.hidden = false;
    button.addEventListener("click", async () => {
      const open = place.hidden;
      if (open && !redraw) {
        button.disabled = true;
        button.textContent = "Loading…";
        try {
          const Plotly = await loadPlotly();
          place.hidden = false;
          redraw = () => place.hidden || drawInto(place, JSON.parse(data.textContent), Plotly);
          themed.add(redraw);
        } catch (problem) {
          button.textContent = `Not available: ${problem.message}`;
          return;
        } finally {
          button.disabled = false;
        }
      }
      place.hidden = !open;
      drawing.hidden = open;
      button.textContent = names[open ? 1 : 0];
      if (open) redraw();
    });
  }

  // --- tabs ---
  let count = 0;
  for (const set of document.querySelectorAll(".tabset")) {
    const panels = [...set.querySelectorAll(":scope > .tab")];
    const list = make("div", { className: "tab-list" });
    list.setAttribute("role", "tablist");
    const tabs = panels.map((panel) => {
      const title = panel.querySelector(":scope > .tab-title");
      const tab = make("button", { type: "button", id: `tab-${++count}`, textContent: title.textContent });
      title.remove();
      tab.setAttribute("role", "tab");
      panel.id ||= `panel-${count}`;
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", tab.id);
      tab.setAttribute("aria-controls", panel.id);
      return tab;
    });
    const select = (chosen) =>
      tabs.forEach((tab, n) => {
        tab.setAttribute("aria-selected", String(n === chosen));
        tab.tabIndex = n === chosen ? 0 : -1;
        panels[n].hidden = n !== chosen;
      });
    tabs.forEach((tab, n) => {
      tab.addEventListener("click", () => select(n));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = (n + step + tabs.length) % tabs.length;
        select(next);
        tabs[next].focus();
      });
    });
    list.append(...tabs);
    set.prepend(list);
    if (tabs.length) select(0);
  }

  // --- a page that has lain a while does not look fresh ---
  const today = new Date().toISOString().slice(0, 10);
  for (const badge of document.querySelectorAll(".badge[data-until]")) {
    if (today > badge.dataset.until) {
      badge.className = "badge late";
      badge.append(", newer prices exist since");
    }
  }

  // --- tables that scroll can be reached by keyboard ---
  for (const frame of document.querySelectorAll(".scroll")) {
    if (frame.scrollWidth > frame.clientWidth) frame.tabIndex = 0;
  }
})();
