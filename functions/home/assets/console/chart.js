// Two charts of daily figures; each repeats its numbers in a table.

import { h, svg } from "../common/dom.js";
import { formatDate, formatDuration } from "../common/format.js";

const WIDTH = 600;
const HEIGHT = 150;
const FOOT = 20;

/** @typedef {{ date: string, value: number | null }} Point */

/**
 * @param {string} title
 * @param {string} figure
 * @param {Point[]} points
 * @param {(value: number) => string} format
 * @param {(points: Point[], x: (position: number) => number, y: (value: number) => number) => SVGElement[]} draw
 */
function chart(title, figure, points, format, draw) {
  const highest = Math.max(...points.map(({ value }) => value ?? 0), 1);
  const step = WIDTH / points.length;
  /** @param {number} value */
  const y = (value) => (HEIGHT - FOOT) * (1 - value / highest) * 0.92 + (HEIGHT - FOOT) * 0.08;
  const labels = [0, Math.floor(points.length / 2), points.length - 1].map((position) =>
    svg("text", { x: Math.min(Math.max((position + 0.5) * step, 28), WIDTH - 28), y: HEIGHT - 4, "text-anchor": "middle" },
      (points[position]?.date ?? "").slice(5)));
  const drawing = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}, last ${points.length} days. The table below lists the numbers.` },
    svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT - FOOT, y2: HEIGHT - FOOT }),
    ...draw(points, (position) => (position + 0.5) * step, y), ...labels);
  const rows = points.filter(({ value }) => value).reverse();
  return h("section", { class: "panel" },
    h("h2", {}, title), h("p", { class: "figure" }, figure), drawing,
    h("details", {}, h("summary", {}, "Show as table"),
      rows.length === 0 ? h("p", { class: "soft" }, "No data yet.") :
        h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Day"), h("th", { scope: "col" }, title))),
          h("tbody", {}, ...rows.map(({ date, value }) =>
            h("tr", {}, h("td", {}, formatDate(date)), h("td", { class: "number" }, format(value ?? 0))))))));
}

/** @param {string} title @param {string} figure @param {Point[]} points */
export function bars(title, figure, points) {
  const width = (WIDTH / points.length) * 0.7;
  return chart(title, figure, points, String, (all, x, y) => all.map(({ date, value }, position) => {
    const top = value ? y(value) : HEIGHT - FOOT - 2;
    return svg("rect", { x: x(position) - width / 2, y: top, width, height: HEIGHT - FOOT - top, rx: 2, class: value ? "" : "none" },
      svg("title", {}, `${formatDate(date)}: ${value ?? 0}`));
  }));
}

/** @param {string} title @param {string} figure @param {Point[]} points */
export function dots(title, figure, points) {
  return chart(title, figure, points, formatDuration, (all, x, y) => {
    const known = all.flatMap(({ date, value }, position) => (value === null ? [] : [{ date, value, at: [x(position), y(value)] }]));
    return [
      svg("polyline", { points: known.map(({ at }) => at.join()).join(" ") }),
      ...known.map(({ date, value, at: [cx, cy] }) => svg("circle", { cx, cy, r: 4 }, svg("title", {}, `${formatDate(date)}: ${formatDuration(value)}`))),
    ];
  });
}
