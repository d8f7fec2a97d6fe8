"use strict";
// Unpacks plotly, makes its numbers of the figure's texts and instants, and its colours of the page's. Asks nothing of the network.
(async () => {
  const find = (id) => document.getElementById(id);
  const chart = find("chart");
  const told = JSON.parse(find("figure").textContent);
  const hidden = new Set();

  const unpacked = async () => {
    const bytes = Uint8Array.from(atob(find("library").textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };

  // Microseconds to plotly's milliseconds; plotly shows them as UTC.
  const instant = (us) => (us === null ? null : us / 1000);

  const coloured = (part, style) => {
    if (typeof part === "string" && /^@[a-z_]+$/.test(part)) return style.getPropertyValue("--" + part.slice(1)).trim();
    if (Array.isArray(part)) return part.map((inner) => coloured(inner, style));
    if (part === null || typeof part !== "object") return part;
    return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, coloured(inner, style)]));
  };

  const clock = (us) => {
    const second = new Date(Math.floor(us / 1000)).toISOString().slice(0, 19).replace("T", " ");
    const fraction = String(us % 1e6).padStart(6, "0").replace(/0+$/, "");
    return `${second}${fraction && "."}${fraction} UTC`;
  };

  // Where a setting's values stand instead of time, an instant is a place among them.
  const values = told.layout.xaxis.ticktext;
  const place = (us) => (values ? values[us / 1000] : clock(us));

  const written = (value, unit) => {
    if (value === null || !unit) return value;
    if (unit !== "$") return `${value} ${unit}`;
    return value.startsWith("-") ? `-$${value.slice(1)}` : `$${value}`;
  };

  const trace = (given) => {
    const drawn = { ...given, x: given.x.map(instant), visible: !hidden.has(given.legendgroup) };
    if (given.base) drawn.base = given.base.map(instant);
    if (given.mode === "lines") {
      drawn.customdata = given.y.map((value, at) => [written(value, given.meta), place(given.x[at])]);
    }
    drawn.y = given.y.map((value) => (value === null ? null : Number(value)));
    return drawn;
  };

  const layout = (style) => {
    const drawn = coloured(told.layout, style);
    drawn.xaxis.range = drawn.xaxis.range.map(instant);
    drawn.shapes = drawn.shapes.map((shape) => ({ ...shape, x0: instant(shape.x0), x1: instant(shape.x1) }));
    if (chart.clientWidth < 640) {
      drawn.margin = { ...drawn.margin, l: 82, r: 8 };
      drawn.font.size = 11;
      drawn.xaxis.nticks = 4;
    }
    return drawn;
  };

  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    const colours = (given) => {
      const { x, y, base, text, ...rest } = given;
      return { x, y, base, text, ...coloured(rest, style) };
    };
    const config = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
    return Plotly.react(chart, told.data.map(trace).map(colours), layout(style), config);
  };

  const legend = () => {
    const known = new Set();
    for (const { legendgroup, name, type, mode, line, marker } of told.data) {
      if (known.has(legendgroup)) continue;
      known.add(legendgroup);
      const button = document.createElement("button");
      const sample = document.createElement("span");
      sample.className = type === "bar" ? "bar" : mode === "lines" ? "line " + line.dash : "mark " + marker.symbol;
      sample.style.setProperty("--colour", `var(--${legendgroup})`);
      button.append(sample, new DOMParser().parseFromString(name, "text/html").body.textContent);
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => {
        const shown = hidden.delete(legendgroup) || !hidden.add(legendgroup);
        button.setAttribute("aria-pressed", String(shown));
        draw();
      });
      find("legend").append(button);
    }
  };

  try {
    const library = document.createElement("script");
    library.textContent = await unpacked();
    document.head.append(library);
    legend();
    await draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    document.documentElement.dataset.drawn = "yes";
  } catch (error) {
    find("problem").textContent = `The picture cannot be drawn here: ${error.message}. A browser of 2023 or later can.`;
    throw error;
  }
})();
