import { countEdges, type EdgeCounts, groupFamilies } from "./block-edges.ts";
import { type BlockGraph, blockBytes, columnStart, type VertexFamily, variableBytes } from "./block-graph.ts";

/** Counts of a part of a graph under its name. */
export interface CensusRow extends EdgeCounts {
  readonly name: string;
}

/** What a block graph consists of, as plain data. */
export interface VertexCensus {
  readonly kind: "vertex-census";
  readonly name: string;
  /** The rule by which work was cut into vertices. */
  readonly rule: string;
  readonly device: string;
  readonly totals: EdgeCounts;
  readonly computeSets: number;
  readonly variables: number;
  /** Bytes of all variables, those that take over others' memory not counted. */
  readonly variableBytes: number;
  readonly layers: readonly CensusRow[];
  readonly phases: readonly CensusRow[];
  readonly codelets: readonly CensusRow[];
  /** Edges that are read, a vertex. */
  readonly degree: { readonly mean: number; readonly largest: number };
  readonly mapping: {
    readonly leastVertices: number;
    readonly mostVertices: number;
    /** Edges that are read on another tile than where their block lies, and the bytes of their blocks. */
    readonly crossingEdges: number;
    readonly crossingBytes: number;
  };
}

/** Counts what a graph consists of, and how it is mapped. Linear in its edges. */
export function takeCensus(graph: BlockGraph, name: string, rule: string): VertexCensus {
  const totals = countEdges(graph.families);
  const rows = (key: (family: VertexFamily) => string): CensusRow[] =>
    [...groupFamilies(graph, key)].map(([group, families]) => ({ name: group, ...countEdges(families) }));
  const vertices = new Uint32Array(graph.target.tileCount);
  let largest = 0;
  let crossingEdges = 0;
  let crossingBytes = 0;
  for (const family of graph.families) {
    for (const tile of family.tiles) vertices[tile]++;
    const degrees = new Uint32Array(family.count);
    for (const column of family.inputs) {
      const { variable, blocks } = column;
      const { tiles, firstBlock, layout } = variable;
      const bytes = layout.uniform ? blockBytes(variable, 0) : -1;
      for (let vertex = 0; vertex < family.count; vertex++) {
        const end = columnStart(column, vertex + 1);
        const start = columnStart(column, vertex);
        degrees[vertex] += end - start;
        for (let place = start; place < end; place++) {
          const block = blocks[place] - firstBlock;
          if (tiles[block] === family.tiles[vertex]) continue;
          crossingEdges++;
          crossingBytes += bytes >= 0 ? bytes : blockBytes(variable, block);
        }
      }
    }
    for (const degree of degrees) if (degree > largest) largest = degree;
  }
  return {
    kind: "vertex-census",
    name,
    rule,
    device: graph.target.name,
    totals,
    computeSets: graph.families.length,
    variables: graph.variables.length,
    variableBytes: graph.variables.reduce(
      (sum, variable) => sum + (variable.storage === variable.id ? variableBytes(variable) : 0),
      0,
    ),
    layers: rows(({ layer }) => (layer === "" ? "(none)" : layer)),
    phases: rows(({ phase }) => phase),
    codelets: rows(({ codelet }) => codelet.name.split("<")[0]).sort((a, b) => b.vertices - a.vertices),
    degree: { mean: totals.vertices === 0 ? 0 : totals.inputs / totals.vertices, largest },
    mapping: {
      leastVertices: vertices.reduce((least, count) => Math.min(least, count), Number.POSITIVE_INFINITY),
      mostVertices: vertices.reduce((most, count) => Math.max(most, count), 0),
      crossingEdges,
      crossingBytes,
    },
  };
}

/** Counts that somebody has published, to stand beside ours. */
export interface PublishedCensus {
  readonly source: string;
  readonly vertices: number;
  readonly edges: number;
}

/** Graphcore's counts of 2017, for which neither the batch nor what counts as an edge was said. */
export const graphcoreCounts = {
  alexnetTraining: { source: "Graphcore, AlexNet forward and backward", vertices: 18.7e6, edges: 115.8e6 },
  resnet50Inference: { source: "Graphcore, ResNet-50 inference", vertices: 3.22e6, edges: 6.21e6 },
} as const satisfies Readonly<Record<string, PublishedCensus>>;

/** A census as text, with the rule and, if given, what others have counted. */
export function formatCensus(census: VertexCensus, published?: PublishedCensus): string {
  const { totals, mapping, degree } = census;
  const perVertex = (edges: number): string => (edges / totals.vertices).toFixed(2);
  const lines = [
    `${census.name} on ${census.device}: ${grouped(totals.vertices)} vertices in ${grouped(census.computeSets)} compute sets`,
    `rule: ${census.rule}`,
    `edges, all fields: ${grouped(totals.fields)} (${perVertex(totals.fields)} a vertex)`,
    `edges, fields that are read: ${grouped(totals.inputs)} (${perVertex(totals.inputs)}; at most ${grouped(degree.largest)})`,
    `edges, from vertex to vertex: ${grouped(totals.produced)} (${perVertex(totals.produced)})`,
  ];
  if (published !== undefined) {
    const { source, vertices, edges } = published;
    lines.push(
      `${source}: ${grouped(vertices)} vertices, ${grouped(edges)} edges (${(edges / vertices).toFixed(2)} a vertex); by a rule and for a batch that are not known`,
    );
  }
  lines.push(
    `variables: ${grouped(census.variables)}, ${grouped(census.variableBytes)} B`,
    `mapping: ${grouped(mapping.leastVertices)} to ${grouped(mapping.mostVertices)} vertices a tile; ${grouped(mapping.crossingEdges)} edges cross tiles, ${grouped(mapping.crossingBytes)} B`,
  );
  for (const [title, rows] of [
    ["phase", census.phases],
    ["layer", census.layers],
    ["codelet", census.codelets],
  ] as const) {
    const width = Math.max(title.length, ...rows.map(({ name }) => name.length));
    lines.push(`${title.padEnd(width)}  ${["vertices", "inputs", "fields"].map((head) => head.padStart(13)).join("")}`);
    for (const { name, vertices, inputs, fields } of rows) {
      const numbers = [vertices, inputs, fields].map((value) => grouped(value).padStart(13)).join("");
      lines.push(`${name.padEnd(width)}  ${numbers}`);
    }
  }
  return lines.join("\n");
}

function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
