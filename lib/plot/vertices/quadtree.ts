/** Squares of the plane, each with the mass within and its centre; typed arrays, made once and filled again. */
export interface Quadtree {
  /** Four children of each square, or 0; the first square is the whole. */
  children: Int32Array;
  /** The one point of a leaf, or -1 for an inner square; further points at the same place are only weighed. */
  point: Int32Array;
  mass: Float64Array;
  x: Float64Array;
  y: Float64Array;
  /** Side of the whole square. */
  side: number;
}

/** Beyond this depth points count as one: they are closer than any pixel. */
const deepest = 24;

export function buildQuadtree(x: Float64Array, y: Float64Array, mass: Float64Array, old?: Quadtree): Quadtree {
  const count = x.length;
  let left = Number.POSITIVE_INFINITY;
  let top = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (let point = 0; point < count; point++) {
    left = Math.min(left, x[point]);
    right = Math.max(right, x[point]);
    top = Math.min(top, y[point]);
    bottom = Math.max(bottom, y[point]);
  }
  const side = Math.max(right - left, bottom - top, 1e-9) * 1.0001;
  let tree = old ?? allocate(2 * count + 64);
  tree.children.fill(0);
  tree.point.fill(-1);
  tree.mass.fill(0);
  tree.x.fill(0);
  tree.y.fill(0);
  tree.side = side;
  let squares = 1;
  for (let point = 0; point < count; point++) {
    let square = 0;
    let half = side / 2;
    let middleX = left + half;
    let middleY = top + half;
    for (let depth = 0; ; depth++) {
      if (squares + 8 > tree.point.length) tree = enlarge(tree);
      const { children, point: points } = tree;
      if (tree.mass[square] === 0) {
        points[square] = point;
        weigh(tree, square, x[point], y[point], mass[point]);
        break;
      }
      if (depth === deepest) {
        weigh(tree, square, x[point], y[point], mass[point]);
        break;
      }
      const resident = points[square];
      if (resident >= 0) {
        // The square was a leaf: its point moves down a level first.
        points[square] = -1;
        const quarter = (x[resident] >= middleX ? 1 : 0) + (y[resident] >= middleY ? 2 : 0);
        const child = squares++;
        children[4 * square + quarter] = child;
        points[child] = resident;
        tree.mass[child] = tree.mass[square];
        tree.x[child] = tree.x[square];
        tree.y[child] = tree.y[square];
      }
      weigh(tree, square, x[point], y[point], mass[point]);
      const quarter = (x[point] >= middleX ? 1 : 0) + (y[point] >= middleY ? 2 : 0);
      half /= 2;
      middleX += quarter & 1 ? half : -half;
      middleY += quarter & 2 ? half : -half;
      let child = children[4 * square + quarter];
      if (child === 0) {
        child = squares++;
        children[4 * square + quarter] = child;
      }
      square = child;
    }
  }
  return tree;
}

/** Adds a point to the mass and the centre of a square. */
function weigh(tree: Quadtree, square: number, x: number, y: number, mass: number): void {
  const total = tree.mass[square] + mass;
  tree.x[square] += ((x - tree.x[square]) * mass) / total;
  tree.y[square] += ((y - tree.y[square]) * mass) / total;
  tree.mass[square] = total;
}

/** A square farther away than its side times this counts as one point. */
const openness = 1;

/** Adds to each node's force the push of all others. Cost: O(nodes log nodes). */
export function repel(
  tree: Quadtree,
  x: Float64Array,
  y: Float64Array,
  mass: Float64Array,
  strength: number,
  forceX: Float64Array,
  forceY: Float64Array,
): void {
  const { children, point: points, mass: masses, x: centreX, y: centreY, side } = tree;
  const stack = new Int32Array(4 * deepest + 8);
  const sizes = new Float64Array(4 * deepest + 8);
  for (let node = 0; node < x.length; node++) {
    const nodeX = x[node];
    const nodeY = y[node];
    let fx = 0;
    let fy = 0;
    let top = 0;
    stack[top] = 0;
    sizes[top++] = side * side * openness;
    while (top > 0) {
      const square = stack[--top];
      const size = sizes[top];
      const dx = nodeX - centreX[square];
      const dy = nodeY - centreY[square];
      const distance = dx * dx + dy * dy;
      if (points[square] >= 0 || distance > size) {
        if (points[square] === node) continue;
        const push = masses[square] / (distance + 1e-3);
        fx += dx * push;
        fy += dy * push;
        continue;
      }
      const smaller = size / 4;
      let inner = false;
      for (let quarter = 0; quarter < 4; quarter++) {
        const child = children[4 * square + quarter];
        if (child === 0) continue;
        inner = true;
        stack[top] = child;
        sizes[top++] = smaller;
      }
      // The deepest squares hold several points and have no children.
      if (!inner) {
        const push = masses[square] / (distance + 1e-3);
        fx += dx * push;
        fy += dy * push;
      }
    }
    forceX[node] += fx * strength * mass[node];
    forceY[node] += fy * strength * mass[node];
  }
}

function allocate(squares: number): Quadtree {
  return {
    children: new Int32Array(4 * squares),
    point: new Int32Array(squares),
    mass: new Float64Array(squares),
    x: new Float64Array(squares),
    y: new Float64Array(squares),
    side: 0,
  };
}

function enlarge(old: Quadtree): Quadtree {
  const larger = allocate(old.point.length * 2);
  larger.point.fill(-1);
  larger.children.set(old.children);
  larger.point.set(old.point);
  larger.mass.set(old.mass);
  larger.x.set(old.x);
  larger.y.set(old.y);
  larger.side = old.side;
  return larger;
}
