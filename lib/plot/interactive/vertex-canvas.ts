/** Vertices and edges in numbers that a canvas can be drawn from quickly. */
export interface VertexColumns {
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Edge e goes from producers[e] to consumers[e]. */
  readonly producers: Uint32Array;
  readonly consumers: Uint32Array;
}

/** How positions become pixels: x · scale + left, y · scale + top. */
export interface Placement {
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

/** Light of which ten times as much is a little brighter only. */
const faint = 60;

/** Red, green and blue from 0 to 255 of each vertex. */
export type VertexColors = Uint8Array;

/**
 * Draws vertices and edges as light that adds up, pixel by pixel: a hundred thousand vertices and three hundred thousand
 * edges take about a tenth of a second, where drawing them as shapes takes seconds.
 *
 * @param edgeLight brightness of a pixel of an edge, a vertex being 1
 */
export function drawVertices(
  image: ImageData,
  { x, y, producers, consumers }: VertexColumns,
  colors: VertexColors,
  { scale, left, top }: Placement,
  edgeLight: number,
  dotRadius: number,
): void {
  const { width, height, data } = image;
  const light = new Float32Array(3 * width * height);
  const shine = (pixelX: number, pixelY: number, vertex: number, strength: number): void => {
    const at = 3 * (pixelY * width + pixelX);
    light[at] += strength * colors[3 * vertex];
    light[at + 1] += strength * colors[3 * vertex + 1];
    light[at + 2] += strength * colors[3 * vertex + 2];
  };
  for (let edge = 0; edge < producers.length; edge++) {
    const from = producers[edge];
    const to = consumers[edge];
    const fromX = x[from] * scale + left;
    const fromY = y[from] * scale + top;
    const dx = x[to] * scale + left - fromX;
    const dy = y[to] * scale + top - fromY;
    // The part of the line inside of the picture (after Liang and Barsky, 1984).
    let start = 0;
    let end = 1;
    if (dx !== 0) {
      const [a, b] = [(0 - fromX) / dx, (width - 0.01 - fromX) / dx];
      start = Math.max(start, Math.min(a, b));
      end = Math.min(end, Math.max(a, b));
    } else if (fromX < 0 || fromX >= width) continue;
    if (dy !== 0) {
      const [a, b] = [(0 - fromY) / dy, (height - 0.01 - fromY) / dy];
      start = Math.max(start, Math.min(a, b));
      end = Math.min(end, Math.max(a, b));
    } else if (fromY < 0 || fromY >= height) continue;
    if (start > end) continue;
    const pixels = Math.floor(Math.max(Math.abs(dx), Math.abs(dy)) * (end - start)) + 1;
    const step = (end - start) / pixels;
    let pixelX = fromX + dx * (start + step / 2);
    let pixelY = fromY + dy * (start + step / 2);
    for (let pixel = 0; pixel < pixels; pixel++) {
      shine(pixelX | 0, pixelY | 0, pixel * 2 < pixels ? from : to, edgeLight);
      pixelX += dx * step;
      pixelY += dy * step;
    }
  }
  for (let vertex = 0; vertex < x.length; vertex++) {
    const middleX = Math.floor(x[vertex] * scale + left);
    const middleY = Math.floor(y[vertex] * scale + top);
    for (let row = Math.max(0, middleY - dotRadius); row <= Math.min(height - 1, middleY + dotRadius); row++) {
      for (
        let column = Math.max(0, middleX - dotRadius);
        column <= Math.min(width - 1, middleX + dotRadius);
        column++
      ) {
        if ((row - middleY) ** 2 + (column - middleX) ** 2 <= dotRadius * dotRadius + 0.5)
          shine(column, row, vertex, 1);
      }
    }
  }
  const exposure = 1 / Math.log1p(light.reduce((most, value) => Math.max(most, value), 1) / faint);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const red = light[3 * pixel];
    const green = light[3 * pixel + 1];
    const blue = light[3 * pixel + 2];
    const most = Math.max(red, green, blue);
    const at = 4 * pixel;
    data[at + 3] = 255;
    if (most === 0) {
      data[at] = data[at + 1] = data[at + 2] = 0;
      continue;
    }
    // By the logarithm, so that single edges are seen beside the thickest bundle; only its core turns white.
    const tone = (exposure * Math.log1p(most / faint)) ** 0.9;
    const white = tone > 0.85 ? ((tone - 0.85) / 0.15) * 0.8 : 0;
    const factor = (255 * tone * (1 - white)) / most;
    data[at] = red * factor + 255 * tone * white;
    data[at + 1] = green * factor + 255 * tone * white;
    data[at + 2] = blue * factor + 255 * tone * white;
  }
}

/** Finds vertices near a place: cells of a grid with the vertices that lie in each. */
export class VertexGrid {
  readonly #columns: VertexColumns;
  readonly #cell: number;
  readonly #across: number;
  readonly #starts: Uint32Array;
  readonly #members: Uint32Array;

  constructor(columns: VertexColumns, width: number, height: number) {
    this.#columns = columns;
    this.#cell = Math.max(1, width / 128);
    this.#across = Math.ceil(width / this.#cell) + 1;
    const { x, y } = columns;
    const cells = Array.from(x, (value, vertex) => this.#cellAt(value, y[vertex]));
    this.#starts = new Uint32Array(this.#across * (Math.ceil(height / this.#cell) + 1) + 1);
    for (const cell of cells) this.#starts[cell + 1]++;
    for (let cell = 1; cell < this.#starts.length; cell++) this.#starts[cell] += this.#starts[cell - 1];
    const next = this.#starts.slice();
    this.#members = new Uint32Array(cells.length);
    cells.forEach((cell, vertex) => {
      this.#members[next[cell]++] = vertex;
    });
  }

  /** The nearest vertex within a distance, or -1. */
  nearest(atX: number, atY: number, distance: number): number {
    const { x, y } = this.#columns;
    const reach = Math.ceil(distance / this.#cell);
    const column = Math.floor(atX / this.#cell);
    const row = Math.floor(atY / this.#cell);
    let best = -1;
    let least = distance * distance;
    for (let down = -reach; down <= reach; down++) {
      for (let right = -reach; right <= reach; right++) {
        if (column + right < 0 || column + right >= this.#across || row + down < 0) continue;
        const cell = (row + down) * this.#across + column + right;
        for (let member = this.#starts[cell]; member < (this.#starts[cell + 1] ?? 0); member++) {
          const vertex = this.#members[member];
          const far = (x[vertex] - atX) ** 2 + (y[vertex] - atY) ** 2;
          if (far <= least) {
            least = far;
            best = vertex;
          }
        }
      }
    }
    return best;
  }

  #cellAt(x: number, y: number): number {
    return Math.floor(y / this.#cell) * this.#across + Math.floor(x / this.#cell);
  }
}
