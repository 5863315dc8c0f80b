import type { Scene } from "./scene.ts";
import { countEdges, type VertexGraph, type VertexSection } from "./vertex-graph.ts";

/** A graph of vertices as it is stored for a page: whole numbers in lists, differences where they are small. */
export interface StoredVertices {
  readonly kind: "vertex-graph";
  readonly title: string;
  readonly facts: string;
  /** Positions run from 0 to `width` and to `height`. */
  readonly width: number;
  readonly height: number;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly sections: readonly VertexSection[];
  /** How many of the stored edges go into each vertex. */
  readonly degrees: readonly number[];
  /** For each edge, in the order of consumers, its consumer minus its producer. */
  readonly reaches: readonly number[];
  readonly tiles?: readonly number[];
  readonly bytes?: readonly number[];
  /** Edges of the graph; where fewer are stored, every n-th of them is, and a living kernel gives the others. */
  readonly edgeCount: number;
}

/** Every n-th edge of a graph, by consumers. */
export interface StoredEdges {
  /** How many of them go into each vertex. */
  readonly degrees: readonly number[];
  /** For each edge, in the order of consumers, its consumer minus its producer. */
  readonly reaches: readonly number[];
}

/** A page asks for the edges that `n` leaves out part by part, from 1 to n − 1. */
export interface EdgesRequest {
  readonly part: number;
}

/** The most vertices that a page shows one by one. */
export const mostVertices = 100_000;
/** The most edges that are stored: more would not fit into a notebook's output. */
const mostEdges = 300_000;
/** Positions are stored in steps of this share of the width: finer than a pixel at first sight, coarse enough to be short. */
const stepsAcross = 2048;

/** What a page needs to show the vertices of a scene, where they are few enough. */
export function storeVertices(graph: VertexGraph, scene: Scene, title: string, facts: string): StoredVertices | null {
  if (graph.vertexCount > mostVertices) return null;
  const edgeCount = countEdges(graph);
  const { degrees, reaches } = storeEdges(graph, 0);
  const scale = stepsAcross / scene.width;
  return {
    kind: "vertex-graph",
    title,
    facts,
    width: stepsAcross,
    height: Math.round(scene.height * scale),
    x: Array.from({ length: graph.vertexCount }, (_, vertex) => Math.round(scene.places[2 * vertex] * scale)),
    y: Array.from({ length: graph.vertexCount }, (_, vertex) => Math.round(scene.places[2 * vertex + 1] * scale)),
    sections: graph.sections,
    degrees,
    reaches,
    ...(graph.tiles && { tiles: Array.from(graph.tiles) }),
    ...(graph.bytes && { bytes: Array.from(graph.bytes) }),
    edgeCount,
  };
}

/** In how many parts the edges of a graph are stored and asked for. */
export function edgeParts(edgeCount: number): number {
  return Math.max(1, Math.ceil(edgeCount / mostEdges));
}

/** One part of the edges: those whose number leaves `part` when divided by the number of parts. */
export function storeEdges(graph: VertexGraph, part: number): StoredEdges {
  const parts = edgeParts(countEdges(graph));
  const degrees: number[] = [];
  const reaches: number[] = [];
  let edgeNumber = 0;
  for (const { firstVertex, starts, producers } of graph.edges) {
    for (let index = 0; index + 1 < starts.length; index++) {
      const before = reaches.length;
      for (let edge = starts[index]; edge < starts[index + 1]; edge++) {
        if (edgeNumber++ % parts === part) reaches.push(firstVertex + index - producers[edge]);
      }
      degrees.push(reaches.length - before);
    }
  }
  return { degrees, reaches };
}
