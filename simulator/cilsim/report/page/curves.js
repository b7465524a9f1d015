// Curves over experiences, and the two charts that are made of them.
const extent = (lines, withBands, percent) => {
  const values = lines.flatMap((line) => [line.mean, ...(withBands ? [line.lower, line.upper] : [])])
    .flatMap((values) => values || []).filter(known);
  if (!values.length) return [0, 1];
  // Intervals of few seeds reach beyond what an accuracy can be: they are cut off there.
  const means = lines.flatMap((line) => line.mean.filter(known));
  const floor = least(means) >= 0 ? 0 : percent ? -1 : -Infinity;
  const ceiling = percent ? 1 : Infinity;
  const low = Math.max(least(values), floor);
  const high = Math.min(greatest(values), ceiling);
  const room = Math.max((high - low) * 0.06, percent ? 0.005 : 1e-3);
  return [Math.max(low - room, floor), Math.min(high + room, ceiling + (percent ? 0.01 : 0))];
};

// A call with an argument for each of 100,000 values overflows the stack.
const least = (values) => values.reduce((one, other) => Math.min(one, other), Infinity);
const greatest = (values) => values.reduce((one, other) => Math.max(one, other), -Infinity);

const pathOf = (values, x, y) => {
  let pen = "M";
  let path = "";
  values.forEach((value, index) => {
    if (!known(value)) { pen = "M"; return; }
    path += `${pen}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = "L";
  });
  return path;
};
const bandOf = (line, x, y) => {
  const at = line.lower.map((low, index) => index).filter((i) => known(line.lower[i]));
  if (at.length < 1) return "";
  const upper = at.map((i) => `${x(i).toFixed(1)} ${y(line.upper[i]).toFixed(1)}`);
  const lower = at.map((i) => `${x(i).toFixed(1)} ${y(line.lower[i]).toFixed(1)}`).reverse();
  return `M${[...upper, ...lower].join("L")}Z`;
};

// `view()` gives {lines, percent, bands, title}; `together` says that the pointer reads all lines
// at one experience instead of the nearest line.
const curves = (figure, view, together) => {
  const { plot, tip, said, caption } = frame(figure);
  const canvas = svg("svg", { role: "img", tabindex: 0, "aria-label": caption });
  plot.append(canvas, tip);
  let scene = null;
  let focus = null; // {index, line}

  const draw = () => {
    const { lines, percent, bands, title } = view();
    const width = Math.max(plot.clientWidth, 260);
    const height = Math.round(Math.min(Math.max(width * 0.44, 240), 420));
    const left = 52, right = 14, top = 22, bottom = 40;
    const [low, high] = extent(lines, bands, percent);
    const x = (i) => left + (count > 1 ? i / (count - 1) : 0.5) * (width - left - right);
    const y = (value) => top + (1 - (value - low) / (high - low)) * (height - top - bottom);
    const inside = (value) => y(Math.min(Math.max(value, low), high));
    canvas.replaceChildren();
    build(canvas, { width, height, viewBox: `0 0 ${width} ${height}` }, []);
    const { ticks, step } = niceTicks(low, high);
    const digits = Math.max(0, -Math.floor(Math.log10(step * (percent ? 100 : 1)) + 1e-9));
    for (const tick of ticks) {
      const label = ((percent ? 100 : 1) * tick).toFixed(digits).replace(/^-(0(\.0+)?)$/, "$1");
      canvas.append(
        svg("line", { class: "grid", x1: left, x2: width - right, y1: y(tick), y2: y(tick) }),
        svg("text", { x: left - 8, y: y(tick) + 4, "text-anchor": "end" }, label));
    }
    for (const i of steps(count, Math.max(2, Math.floor((width - left) / 42)))) {
      canvas.append(svg("text", { x: x(i), y: height - bottom + 18, "text-anchor": "middle" }, i));
    }
    canvas.append(
      svg("line", { class: "axis", x1: left, x2: width - right, y1: height - bottom,
        y2: height - bottom }),
      svg("text", { x: left + (width - left - right) / 2, y: height - 6, "text-anchor": "middle" },
        "after experience"),
      svg("text", { x: 2, y: 12 }, title));
    const marks = svg("g");
    lines.forEach((line) => {
      if (bands && line.lower) {
        canvas.append(svg("path", { class: "band", colour: line.colour, d: bandOf(line, x, inside) }));
      }
    });
    canvas.classList.toggle("crowded", lines.length > 30);
    lines.forEach((line) => {
      const path = svg("path", { class: "series", colour: line.colour, "data-label": line.label,
        "stroke-dasharray": line.dash, d: pathOf(line.mean, x, y) });
      canvas.append(path);
      line.path = path;
      if (count > 30) return;
      line.mean.forEach((value, i) => known(value) && canvas.append(
        svg("circle", { class: "dot", colour: line.colour, cx: x(i), cy: y(value), r: 3 })));
    });
    canvas.append(marks);
    scene = { lines, percent, x, y, marks, width, height, top, bottom, left, right };
    if (focus) point(focus.index, focus.line);
  };

  const leave = () => {
    focus = null;
    tip.hidden = true;
    if (!scene) return;
    scene.marks.replaceChildren();
    scene.lines.forEach((line) => line.path.classList.remove("faint", "strong"));
  };

  const rowsAt = (index) => scene.lines
    .filter((line) => known(line.mean[index]))
    .sort((one, other) => other.mean[index] - one.mean[index]);
  const withBand = (line, index) => {
    const half = line.upper && known(line.upper[index])
      ? (line.upper[index] - line.lower[index]) / 2 : null;
    const text = number(line.mean[index], scene.percent);
    if (half === null) return text;
    return scene.percent ? `${(100 * line.mean[index]).toFixed(1)} \u00b1 ${(100 * half).toFixed(1)} %`
      : `${text} \u00b1 ${half.toFixed(3)}`;
  };

  const point = (index, wanted) => {
    if (!scene || index < 0 || index >= count) return;
    const rows = together ? rowsAt(index)
      : scene.lines.filter((line) => line.label === wanted && known(line.mean[index]));
    const { x, y, marks, top, bottom, height, width } = scene;
    focus = { index, line: wanted };
    marks.replaceChildren();
    if (!rows.length && !together) { leave(); return; }
    if (together) {
      marks.append(svg("line", { class: "cross", x1: x(index), x2: x(index), y1: top,
        y2: height - bottom }));
    } else {
      scene.lines.forEach((line) => {
        line.path.classList.toggle("faint", line.label !== wanted);
        line.path.classList.toggle("strong", line.label === wanted);
      });
    }
    rows.forEach((line) => marks.append(
      svg("circle", { class: "dot", colour: line.colour, cx: x(index), cy: y(line.mean[index]),
        r: 5 })));
    const told = rows.map((line) => [line, withBand(line, index)]);
    tip.replaceChildren(html("b", {}, place(index)), ...told.map(([line, value]) =>
      html("div", { colour: line.colour }, html("i"), html("span", {}, line.label),
        html("span", {}, value))));
    if (!told.length) tip.append("no value");
    const height0 = rows.length ? y(rows[0].mean[index]) : top;
    const ratio = plot.clientWidth / width;
    showTip(plot, tip, x(index) * ratio, height0);
    said.textContent = `${place(index)}: ${told.map(([line, value]) =>
      `${line.label} ${value}`).join("; ") || "no value"}`;
  };

  const nearest = (event) => {
    const box = canvas.getBoundingClientRect();
    const at = [event.clientX - box.left, event.clientY - box.top];
    const { x, y, lines, left, right, width } = scene;
    const share = (at[0] - left) / (width - left - right);
    const index = count > 1 ? Math.min(Math.max(Math.round(share * (count - 1)), 0), count - 1) : 0;
    if (together) return { index };
    let best = null;
    for (const line of lines) {
      line.mean.forEach((value, i) => {
        if (!known(value)) return;
        const distance = (x(i) - at[0]) ** 2 + (y(value) - at[1]) ** 2;
        if (!best || distance < best.distance) best = { distance, index: i, line: line.label };
      });
    }
    return best;
  };

  canvas.addEventListener("pointermove", (event) => {
    const found = scene && nearest(event);
    if (found) point(found.index, found.line);
  });
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("blur", leave);
  const move = (to) => () => {
    const lines = scene.lines;
    if (!lines.length) return;
    const line = focus ? focus.line : lines[0].label;
    point(Math.min(Math.max(to(focus ? focus.index : -1), 0), count - 1), line);
  };
  const change = (by) => () => {
    if (together || !scene.lines.length) return;
    const labels = scene.lines.map((line) => line.label);
    const at = focus ? labels.indexOf(focus.line) : -1;
    const next = Math.min(Math.max(at + by, 0), labels.length - 1);
    const mean = scene.lines[next].mean;
    const index = focus && known(mean[focus.index]) ? focus.index : mean.findIndex(known);
    point(index, labels[next]);
  };
  onKeys(canvas, {
    ArrowRight: move((i) => i + 1), ArrowLeft: move((i) => i - 1), Home: move(() => 0),
    End: move(() => count - 1), ArrowDown: change(1), ArrowUp: change(-1), Escape: leave,
  });
  return draw;
};

const comparisonChart = (figure) => {
  const hidden = new Set();
  let metric = data.metrics[0];
  let bands = data.strategies.length <= MOST_BANDS;
  const several = data.strategies.some((one) => one.seeds > 1);
  const lines = () => data.strategies.map((one, index) => {
    const [mean, lower, upper] = one.series[metric.name];
    return { label: one.label, colour: colourOf(index), dash: dashOf(index), mean, lower, upper };
  }).filter((line) => !hidden.has(line.label));
  const draw = curves(figure, () => ({
    lines: lines(), percent: metric.percent, bands,
    title: metric.title + (metric.percent ? ", in percent" : ""),
  }), true);

  const choice = html("select", { "aria-label": "metric" }, ...data.metrics.map((one) =>
    html("option", { value: one.name }, `${one.name}: ${one.title}`)));
  choice.addEventListener("change", () => {
    metric = data.metrics.find((one) => one.name === choice.value);
    draw();
  });
  const controls = html("div", { class: "controls" }, choice);
  if (several) {
    const box = html("input", { type: "checkbox" });
    box.checked = bands;
    box.addEventListener("change", () => { bands = box.checked; draw(); });
    controls.append(html("label", {}, box, " 95 % intervals over seeds"));
  }
  const legend = html("div", { class: "legend", role: "group", "aria-label": "strategies" });
  data.strategies.forEach((one, index) => {
    const swatch = svg("svg", { width: 22, height: 8, "aria-hidden": "true" }, svg("path", {
      class: "series", colour: colourOf(index), "stroke-dasharray": dashOf(index), d: "M1 4H21" }));
    const button = html("button", { type: "button", "aria-pressed": "true" }, swatch, one.label);
    button.addEventListener("click", () => {
      if (!hidden.delete(one.label)) hidden.add(one.label);
      button.setAttribute("aria-pressed", String(!hidden.has(one.label)));
      draw();
    });
    legend.append(button);
  });
  figure.prepend(controls);
  if (data.strategies.length > 1) figure.querySelector(".plot").after(legend);
  return draw;
};

const forgettingChart = (figure, strategy) => {
  const columns = data.experiences.map((name, j) => ({
    name, mean: strategy.matrix.map((row) => known(row[j]) ? row[j] : null) }));
  const lines = () => columns.map(({ name, mean }, j) => ({
    label: `experience ${j}, ${name}`, mean, colour: lineShade(count > 1 ? j / (count - 1) : 0),
  })).filter((line) => line.mean.some(known));
  const draw = curves(figure, () => ({
    lines: lines(), percent: true, bands: false, title: "accuracy on each experience, in percent",
  }), false);
  const shades = html("i");
  figure.querySelector(".plot").after(html("div", { class: "scale" }, "experience 0", shades,
    String(count - 1)));
  return () => {
    shades.style.background =
      `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map(lineShade).join(",")})`;
    draw();
  };
};
