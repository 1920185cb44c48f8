// Heat maps: draws every <figure data-heat>, {"cells": rows of numbers and nulls, "height", "width": size of the whole}.
// The colours rise in lightness, so they are read with every kind of colour vision; a gap is blank.
"use strict";
drawFigures("heat", (() => {
  const COLORS = [[0, 34, 78], [86, 92, 109], [165, 156, 116], [254, 232, 56]];

  function canvasOf(cells, least, most) {
    const canvas = document.createElement("canvas");
    canvas.height = cells.length;
    canvas.width = cells[0].length;
    const image = new ImageData(canvas.width, canvas.height);
    cells.flat().forEach((value, at) => {
      if (value === null) return;
      const share = 2.999 * (value - least) / (most - least || 1), low = Math.floor(share);
      image.data.set([...COLORS[low].map((part, i) => part + (COLORS[low + 1][i] - part) * (share - low)), 255], at * 4);
    });
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  }

  return (place, { cells, height, width }) => {
    const rows = cells.length, columns = cells[0].length;
    const numbers = cells.flat().filter((value) => value !== null);
    const least = Math.min(...numbers), most = Math.max(...numbers);
    const map = canvasOf(cells, least, most);
    const legend = document.createElement("p");
    const hovered = document.createElement("output");
    map.style.aspectRatio = Math.min(Math.max(width / height, 0.5), 8);
    map.onpointermove = ({ offsetX, offsetY }) => {
      const row = Math.floor(offsetY * rows / map.clientHeight), column = Math.floor(offsetX * columns / map.clientWidth);
      const value = cells[row]?.[column];
      // A cell of a thinned map begins at this row and column of the matrix.
      const at = `row ${Math.floor(row * height / rows) + 1}, column ${Math.floor(column * width / columns) + 1}`;
      if (value !== undefined) hovered.textContent = `${at}: ${value}`;
    };
    legend.append(`${least} `, canvasOf([[...Array(64).keys()]], 0, 63), ` ${most}`, hovered);
    place.replaceChildren(map, legend);
  };
})());
