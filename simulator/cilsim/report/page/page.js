// What is drawn when: tabs of strategies, colours, width of the window.
const CHARTS = { curves: comparisonChart, forgetting: forgettingChart, matrix: matrixChart,
  confusion: confusionChart };
const drawIn = (root) => root.querySelectorAll("figure[data-chart]").forEach((figure) => {
  if (figure.dataset.drawn || figure.closest("[hidden]")) return;
  figure.dataset.drawn = "yes";
  const draw = CHARTS[figure.dataset.chart](figure, data.strategies[figure.dataset.strategy]);
  draw();
  redraws.push({ figure, draw });
});
const redraw = () => redraws.forEach(({ figure, draw }) => {
  if (!figure.closest("[hidden]")) draw();
});

const makeTabs = () => {
  const sections = [...document.querySelectorAll(".strategy")];
  if (sections.length < 2) return;
  const list = html("div", { class: "tabs", role: "tablist", "aria-label": "strategies" });
  const tabs = sections.map((section, index) => {
    const tab = html("button", { type: "button", role: "tab", "aria-controls": section.id,
      id: `tab-${index}` }, data.strategies[index].label);
    section.setAttribute("role", "tabpanel");
    section.setAttribute("aria-labelledby", tab.id);
    tab.addEventListener("click", () => select(index));
    return tab;
  });
  const select = (chosen) => {
    tabs.forEach((tab, index) => {
      tab.setAttribute("aria-selected", String(index === chosen));
      tab.tabIndex = index === chosen ? 0 : -1;
      sections[index].hidden = index !== chosen;
    });
    drawIn(sections[chosen]);
    redraw();
  };
  const step = (by) => () => {
    const to = (tabs.indexOf(document.activeElement) + by + tabs.length) % tabs.length;
    select(to);
    tabs[to].focus();
  };
  onKeys(list, { ArrowRight: step(1), ArrowLeft: step(-1) });
  list.append(...tabs);
  sections[0].before(list);
  select(0);
  addEventListener("beforeprint", () => {
    sections.forEach((section) => { section.hidden = false; });
    drawIn(document);
  });
};

const makeThemeButton = () => {
  const button = html("button", { type: "button", id: "theme" });
  const label = () => { button.textContent = dark() ? "Light" : "Dark"; };
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    label();
    redraw();
  });
  label();
  document.querySelector("header").append(button);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { label(); redraw(); });
};

makeThemeButton();
makeTabs();
drawIn(document);
let width = document.body.clientWidth;
addEventListener("resize", () => {
  if (document.body.clientWidth === width) return;
  width = document.body.clientWidth;
  redraw();
});
document.documentElement.dataset.ready = "yes";
