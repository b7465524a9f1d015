// Matrices as heat maps: accuracy and confusion.
// On whole pixels, so that neighbours neither overlap nor leave a seam.
const fillCell = (context, row, column, side, gap) => {
  const [x, y] = [Math.round(column * side), Math.round(row * side)];
  const [right, below] = [Math.round((column + 1) * side), Math.round((row + 1) * side)];
  context.fillRect(x, y, Math.max(right - x - gap, 1), Math.max(below - y - gap, 1));
};

// `spec`: {size (may be no whole number: then the last cell is cut), paint(context, side, inks) draws all cells, told(row, column) says one or null,
// axes: [of columns, of rows], borders, first: cell that the keyboard begins at}.
const heatmap = (figure, spec) => {
  const { plot, tip, said, caption } = frame(figure);
  const canvas = html("canvas", { role: "img", tabindex: 0, "aria-label": caption });
  const cursor = html("div", { class: "cell", hidden: "" });
  plot.append(canvas, cursor, tip);
  const left = 46, bottom = 40, top = 6;
  let side = 0;
  let focus = null;

  const draw = () => {
    const inner = Math.max(Math.min(plot.clientWidth - left - 4, 440), 160);
    side = inner / spec.size;
    const density = window.devicePixelRatio || 1;
    const [width, height] = [inner + left + 2, inner + top + bottom];
    canvas.width = width * density;
    canvas.height = height * density;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    const style = getComputedStyle(figure);
    const colour = (name) => {
      context.fillStyle = "#000";
      const probe = html("i", { style: `color: var(${name})` });
      figure.append(probe);
      const found = getComputedStyle(probe).color;
      probe.remove();
      return found;
    };
    const inks = { soft: colour("--soft"), line: colour("--line"), accent: colour("--accent"),
      bad: colour("--bad"), card: colour("--card") };
    context.scale(density, density);
    context.clearRect(0, 0, width, height);
    context.fillStyle = inks.card;
    context.fillRect(left, top, inner, inner);
    context.save();
    context.translate(left, top);
    context.beginPath();
    context.rect(0, 0, inner, inner);
    context.clip();
    spec.paint(context, side, inks);
    context.globalAlpha = 1;
    context.fillStyle = inks.soft;
    const apart = inner / (spec.borders.length + 1) >= 8; // else they would hide the cells
    for (const border of apart ? spec.borders : []) {
      context.fillRect(0, border * side - 0.5, inner, 0.75);
      context.fillRect(border * side - 0.5, 0, 0.75, inner);
    }
    context.strokeStyle = inks.line;
    context.strokeRect(0, 0, inner, inner);
    context.restore();
    context.fillStyle = inks.soft;
    context.font = `12px ${style.fontFamily}`;
    const each = spec.each || 1;
    for (const at of steps(Math.round(spec.size * each), 10)) {
      const middle = (at + 0.5) * side / each;
      context.textAlign = "center";
      context.fillText(at, left + middle, top + inner + 16);
      context.textAlign = "right";
      context.fillText(at, left - 6, top + middle + 4);
    }
    context.textAlign = "center";
    context.fillText(spec.axes[0], left + inner / 2, height - 5);
    context.rotate(-Math.PI / 2);
    context.fillText(spec.axes[1], -(top + inner / 2), 12);
    if (focus) point(...focus);
  };

  const leave = () => { focus = null; tip.hidden = true; cursor.hidden = true; };
  const point = (row, column) => {
    const told = spec.told(row, column);
    if (!told) { leave(); return; }
    focus = [row, column];
    cursor.hidden = false;
    const [x, y] = [left + column * side, top + row * side];
    const shown = Math.max(side, 6);
    Object.assign(cursor.style, { left: `${x + side / 2 - shown / 2}px`,
      top: `${y + side / 2 - shown / 2}px`, width: `${shown}px`, height: `${shown}px` });
    tip.replaceChildren(html("b", {}, told[0]), told[1]);
    showTip(plot, tip, x + side, y);
    said.textContent = `${told[1]}: ${told[0]}`;
  };
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - left) / side);
    const row = Math.floor((event.clientY - box.top - top) / side);
    const inside = row >= 0 && column >= 0 && row < spec.size && column < spec.size;
    if (inside) point(row, column);
    else leave();
  });
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("blur", leave);
  const move = (down, right) => () => {
    const [row, column] = focus || spec.first;
    const clamp = (value) => Math.min(Math.max(value, 0), Math.ceil(spec.size) - 1);
    const to = focus ? [clamp(row + down), clamp(column + right)] : [row, column];
    if (spec.told(...to)) point(...to);
  };
  onKeys(canvas, { ArrowUp: move(-1, 0), ArrowDown: move(1, 0), ArrowLeft: move(0, -1),
    ArrowRight: move(0, 1), Escape: leave });
  return draw;
};

const matrixChart = (figure, strategy) => {
  const numbered = count <= 12;
  const draw = heatmap(figure, {
    size: count, borders: [], first: [0, 0],
    axes: ["test part of experience", "after experience"],
    paint: (context, side) => strategy.matrix.forEach((row, i) => row.forEach((value, j) => {
      if (!known(value)) return;
      const shade = viridis(value);
      context.fillStyle = rgb(shade);
      fillCell(context, i, j, side, side > 6 ? 1 : 0);
      if (!numbered || side < 24) return;
      const bright = 0.2126 * shade[0] + 0.7152 * shade[1] + 0.0722 * shade[2];
      context.fillStyle = bright > 120 ? "#101214" : "#ffffff";
      context.font = `${Math.min(12, side / 2.6)}px system-ui, sans-serif`;
      context.textAlign = "center";
      context.fillText((100 * value).toFixed(0), (j + 0.5) * side, (i + 0.5) * side + 4);
    })),
    told: (i, j) => known(strategy.matrix[i] && strategy.matrix[i][j])
      ? [number(strategy.matrix[i][j], true),
        `${place(i)}, on the test part of experience ${j}, ${data.experiences[j]}`] : null,
  });
  const shades = html("i");
  shades.style.background = `linear-gradient(90deg, ${VIRIDIS.map(rgb).join(",")})`;
  figure.querySelector(".plot").after(html("div", { class: "scale" }, "0 %", shades, "100 %"));
  return draw;
};

const confusionChart = (figure, strategy) => {
  const { classes, each, borders, cells } = strategy.confusion;
  const size = Math.ceil(classes / each);
  const counts = new Map();
  const totals = new Array(size).fill(0);
  for (let at = 0; at < cells.length; at += 3) {
    counts.set(cells[at] * size + cells[at + 1], cells[at + 2]);
    totals[cells[at]] += cells[at + 2];
  }
  const name = (index) => each === 1 ? `${data.classes[index]}`
    : `labels ${index * each} to ${Math.min((index + 1) * each, classes) - 1}`;
  const draw = heatmap(figure, {
    size: classes / each, each, borders: borders.map((label) => label / each), first: [0, 0],
    axes: ["predicted label", "true label"],
    paint: (context, side, inks) => counts.forEach((samples, key) => {
      const [row, column] = [Math.floor(key / size), key % size];
      context.globalAlpha = Math.sqrt(samples / totals[row]);
      context.fillStyle = row === column ? inks.accent : inks.bad;
      fillCell(context, row, column, side, 0);
    }),
    told: (row, column) => {
      const samples = counts.get(row * size + column) || 0;
      const share = totals[row] ? samples / totals[row] : null;
      const of = row === column && each === 1 ? "predicted rightly"
        : `predicted as ${row === column ? "the same" : name(column)}`;
      return [`${samples} of ${totals[row]}${share === null ? "" : `, ${number(share, true)}`}`,
        `${name(row)}, ${of}`];
    },
  });
  const swatch = (variable) => {
    const bar = html("i");
    bar.style.background = `linear-gradient(90deg, transparent, var(${variable}))`;
    bar.style.width = "4rem";
    return bar;
  };
  figure.querySelector(".plot").after(html("div", { class: "scale" },
    each === 1 ? "right" : "the same labels", swatch("--accent"),
    each === 1 ? "wrong" : "other labels", swatch("--bad"), "share of a row, square root"));
  return draw;
};
