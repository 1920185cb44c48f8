// Plots: draws every <figure data-plot> (templates/plot.html makes it, plots.py its JSON) with uPlot.
//   {"x": {"name", "values": rising numbers, "time": true for Unix seconds, "log"}, "y": {"name", "unit": "s" for
//    durations, "log", "zero": true to begin there}, "series": [{"name", "values", "color": "--done", "line": true for a
//    line among bars, which is not stacked}], "form": "line", "points" or "bars", "stacked", "height", "sync": name of a
//    shared cursor, "spans": true for lines that lead over gaps, "marks": [{"x", "name"}]}; null is a gap
"use strict";
drawFigures("plot", (() => {
  const DASHES = [["solid", []], ["dashed", [10, 4]], ["dotted", [4, 3]]];
  const formatter = (options) => {
    const format = new Intl.DateTimeFormat(undefined, { ...options, hourCycle: "h23" });
    return (unix) => format.format(unix * 1000);
  };
  const clock = formatter({ timeStyle: "short" });
  const day = formatter({ month: "short", day: "numeric" });
  const moment = formatter({ dateStyle: "medium", timeStyle: "medium" });

  function plain(value) {
    const short = +value.toPrecision(6), size = Math.abs(short);
    return size && (size < 1e-4 || size >= 1e7) ? short.toExponential() : String(short);
  }

  function duration(value) {
    const [size, name] = value < 1 ? [1e-3, "ms"] : value < 60 ? [1, "s"] : value < 3600 ? [60, "min"] : [3600, "h"];
    return +(value / size).toPrecision(3) + ` ${name}`;
  }

  const formatOf = ({ time, unit }) => (value) => (value == null ? "–" : (time ? moment : unit === "s" ? duration : plain)(value));

  /** The colour that a custom property has in this place, which a canvas can be given. */
  function colorOf(place, property) {
    place.style.color = `var(${property})`;
    const { color } = getComputedStyle(place);
    place.style.color = "";
    return color;
  }

  function axisOf(place, axis, isX) {
    const grid = { stroke: colorOf(place, "--line"), width: 1 };
    const font = "12px system-ui";
    if (axis.log) grid.filter = (_, splits) => splits.map((at) => (Math.log10(at) % 1 ? null : at));
    return {
      stroke: colorOf(place, "--dim"), grid, ticks: grid, label: axis.name, labelSize: 20, font, labelFont: font,
      values: (_, splits, __, ___, step) => splits.map((at) => (
        at == null ? "" : axis.time ? (step < 86400 ? clock : day)(at) : formatOf(axis)(at))),
      space: isX ? 70 : 40,
      size: isX ? 34 : (_, texts) => 20 + 7 * Math.max(3, ...(texts || []).map((text) => text.length)),
    };
  }

  /** The rows that uPlot is given. Those of stacked series are sums with all that follow, so that the first is on top. */
  function rowsOf({ x, y, series, stacked }) {
    const rows = series.map(({ values }) => (y.log ? values.map((value) => (value > 0 ? value : null)) : values));
    let below = x.values.map(() => 0);
    if (stacked) for (let i = rows.length - 1; i >= 0; i--) {
      if (!series[i].line) below = rows[i] = rows[i].map((value, at) => value + below[at]);
    }
    return [x.values, ...rows];
  }

  function drawMarks({ ctx, bbox: { left, top, width, height }, valToPos }, color, marks = []) {
    const pixel = devicePixelRatio;
    ctx.save();
    ctx.fillStyle = ctx.strokeStyle = color;
    ctx.setLineDash([4, 4]);
    ctx.font = `${11 * pixel}px system-ui`;
    marks.forEach(({ x, name }, at) => {
      const across = valToPos(x, "x", true);
      if (across < left || across > left + width) return;
      ctx.stroke(new Path2D(`M${across} ${top}v${height}`));
      ctx.textAlign = across > left + width / 2 ? "right" : "left";
      ctx.fillText(` ${name} `, across, top + (11 + (at % 3) * 13) * pixel);
    });
    ctx.restore();
  }

  /** The indexes of values between gaps, which no line leads to. */
  function aloneAmong(values) {
    return values.flatMap((value, at) => (value != null && values[at - 1] == null && values[at + 1] == null ? [at] : []));
  }

  function newPlot(place, state) {
    const { x, y, series, form, stacked, height, sync, spans } = state.spec;
    const points = form === "points";
    const half = form === "bars" && (x.values[1] - x.values[0]) / 2;
    const isSolid = ({ line }) => !line && (stacked || form === "bars");
    const dashOf = (at) => DASHES[isSolid(series[at]) ? 0 : series.slice(0, at).filter((other) => !isSolid(other)).length % 3];
    const seriesOf = ({ name, color }, at) => {
      const solid = isSolid(series[at]), bars = solid && form === "bars";
      const stroke = colorOf(place, color || `--plot-${(at % 8) + 1}`);
      return {
        label: name, stroke, width: 1.75, pxAlign: 0, spanGaps: !!spans,
        ...(solid ? { fill: stroke } : { dash: dashOf(at)[1] }),
        points: solid || points ? { show: points, size: 5, fill: stroke } : { filter: (plot, nth, shows) => (
          shows ? null : aloneAmong(plot.data[nth])
        ) },
        paths: bars ? uPlot.paths.bars({ size: [0.9, 60] }) : points ? () => null : undefined,
        value: (_, __, ___, index) => (index == null ? "" : formatOf(y)(state.spec.series[at].values[index])),
      };
    };
    return new uPlot({
      width: place.clientWidth, height, padding: [8, 20, 0, 0],
      scales: {
        x: { time: !!x.time, distr: x.log ? 3 : 1, ...(half && { range: (_, least, most) => [least - half, most + half] }) },
        y: { distr: y.log ? 3 : 1, ...(y.zero && !y.log && { range: (_, __, most) => [0, most * 1.05 || 1] }) },
      },
      axes: [axisOf(place, x, true), axisOf(place, y)],
      series: [{ label: x.name || (x.time ? "time" : "x"), value: (_, value) => formatOf(x)(value) }, ...series.map(seriesOf)],
      cursor: { sync: sync && { key: sync } },
      legend: { markers: { width: 2, dash: (_, at) => dashOf(at - 1)[0] } },
      hooks: { draw: [(plot) => drawMarks(plot, colorOf(place, "--dim"), state.spec.marks)] },
    }, rowsOf(state.spec), place);
  }

  /** Draw a plot, or give the old one other numbers, which keeps how far the reader has zoomed in. */
  return (place, spec, state, isSameColors) => {
    const look = JSON.stringify({ ...spec, marks: 0 }, (key, value) => (key === "values" ? 0 : value));
    const isSame = isSameColors && state.look === look;
    if (!state) {
      state = {};
      new ResizeObserver(() => state.plot.setSize({ width: place.clientWidth || 1, height: state.spec.height })).observe(place);
    }
    Object.assign(state, { spec, look });
    if (isSame) {
      const { data: [xs], scales: { x } } = state.plot;
      state.plot.setData(rowsOf(spec), x.min <= xs[0] && x.max >= xs[xs.length - 1]);
    } else {
      state.plot?.destroy();
      state.plot = newPlot(place, state);
    }
    return state;
  };
})());
